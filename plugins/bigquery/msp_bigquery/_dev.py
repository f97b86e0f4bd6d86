"""The embedded BigQuery that stands in for Google's on a laptop."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msp_core.dev import answers, server_folder, server_process
from msp_core.errors import DevError

_EMULATOR = "msp_bigquery_emulator"
_PROJECT, _DATASET = "local", "local"
_SCHEMAS = Path("bigquery")


@contextlib.asynccontextmanager
async def bigquery_emulator(
    folder: Path, *, schemas: Path = _SCHEMAS
) -> AsyncIterator[Mapping[str, str]]:
    """Run the emulator on free ports of 127.0.0.1 and keep its data in a folder.

    Args:
        folder: this resource's own; made when missing.
        schemas: folder of table schemas, one JSON file a table, `visits.json` or
            `visits.schema.json`; need not exist. Default `bigquery` in the current directory.

    Yields:
        `BIGQUERY_PROJECT_ID`, `BIGQUERY_DATASET_ID`, `BIGQUERY_EMULATOR_HOST` and
        `BIGQUERY_EMULATOR_GRPC_HOST`.

    Raises:
        DevError: the emulator is not installed, the folder is in use, or it does not start.
    """
    if importlib.util.find_spec(_EMULATOR) is None:
        raise DevError(
            "the BigQuery emulator is not installed, expected it for bigquery: "
            "pip install 'msp-bigquery[dev]', or set BIGQUERY_PROJECT_ID and BIGQUERY_DATASET_ID"
        )
    async with server_folder(folder) as held:
        http, grpc = held.port(), held.port(name="grpc-port")
        command = _command(held.subfolder("data"), schemas, http, grpc)
        async with server_process(command, folder=held, ready=answers(http, grpc)):
            yield {
                "BIGQUERY_PROJECT_ID": _PROJECT,
                "BIGQUERY_DATASET_ID": _DATASET,
                "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{http}",
                "BIGQUERY_EMULATOR_GRPC_HOST": f"127.0.0.1:{grpc}",
            }


def _command(data: Path, schemas: Path, http: int, grpc: int) -> list[str | Path]:
    names = ("--project", _PROJECT, "--dataset", _DATASET)
    folders = ("--data", data, "--schemas", schemas.absolute())  # it runs in another folder
    ports = ("--http-port", str(http), "--grpc-port", str(grpc))
    return [sys.executable, "-m", _EMULATOR, *names, *folders, *ports]
