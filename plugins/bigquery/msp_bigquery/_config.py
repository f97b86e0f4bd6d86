"""BigQueryConfig: which dataset is the service's own, and on a laptop where the emulator is."""

from __future__ import annotations

import attrs

from msp_core.config import URL, env
from msp_core.errors import InvalidValue


def _host_and_port(value: str) -> None:
    host, _, port = value.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise InvalidValue("host:port, without a scheme")


@attrs.frozen(kw_only=True, eq=False)
class BigQueryConfig:
    """What the platform says about BigQuery; both ids are set, or none.

    Attributes:
        project_id: project of the dataset. From `BIGQUERY_PROJECT_ID`.
        dataset_id: dataset whose tables are written. From `BIGQUERY_DATASET_ID`.
        emulator_host: URL of an emulator's REST interface; None for Google. No credentials are
            looked for when it is set. From `BIGQUERY_EMULATOR_HOST`; not allowed with `MSP=true`.
        emulator_grpc_host: `host:port` of an emulator's Storage Write API, in plain text. From
            `BIGQUERY_EMULATOR_GRPC_HOST`; not allowed with `MSP=true`.
    """

    project_id: str = env("BIGQUERY_PROJECT_ID", help="project of the BigQuery dataset")
    dataset_id: str = env("BIGQUERY_DATASET_ID", help="BigQuery dataset that the service writes to")
    emulator_host: URL | None = env(
        "BIGQUERY_EMULATOR_HOST",
        default=None,
        help="URL of a local BigQuery emulator, instead of Google",
        forbidden_when_msp=True,
    )
    emulator_grpc_host: str | None = env(
        "BIGQUERY_EMULATOR_GRPC_HOST",
        default=None,
        help="host:port of a local emulator of BigQuery's Storage Write API",
        validator=_host_and_port,
        forbidden_when_msp=True,
    )
