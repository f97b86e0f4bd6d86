"""BigQueryConfig: both ids or none, and no emulator on a live platform."""

from __future__ import annotations

import pytest

from msp_bigquery import BigQueryConfig
from msp_core.config import describe, load
from msp_core.errors import ConfigError

IDS = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}


def test_both_ids_are_needed() -> None:
    """One alone is a mistake that is told before the start."""
    with pytest.raises(ConfigError, match="BIGQUERY_DATASET_ID is missing"):
        load(BigQueryConfig, {"BIGQUERY_PROJECT_ID": "p"})

    assert load(BigQueryConfig, IDS).dataset_id == "d"


def test_an_emulator_alone_configures_nothing() -> None:
    """Its addresses say where, not whether."""
    required = [variable.name for variable in describe(BigQueryConfig) if variable.required]

    assert required == list(IDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9050"),
        ("BIGQUERY_EMULATOR_GRPC_HOST", "127.0.0.1:9060"),
    ],
)
def test_an_emulator_is_for_laptops(name: str, value: str) -> None:
    """In production rows must not go anywhere else."""
    load(BigQueryConfig, IDS | {name: value})

    with pytest.raises(ConfigError, match="not allowed with MSP=true"):
        load(BigQueryConfig, IDS | {"MSP": "true", name: value})


@pytest.mark.parametrize("value", ["hunter2", ":1", "http://hunter2:1", "hunter2:x"])
def test_the_grpc_address_has_host_and_port(value: str) -> None:
    """What gRPC could not connect to is told before the start, and not shown."""
    with pytest.raises(ConfigError, match="host:port, without a scheme") as caught:
        load(BigQueryConfig, IDS | {"BIGQUERY_EMULATOR_GRPC_HOST": value})

    assert "hunter2" not in str(caught.value)
