"""The dev resource: a BigQuery on the laptop, with the service's tables in it."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

from msp_bigquery import BigQueryConfig, msp_integration
from msp_bigquery._dev import bigquery_emulator
from msp_bigquery._plugin import open_bigquery
from msp_core import Contract
from msp_core.config import load
from msp_core.dev import DevResources
from msp_core.errors import DevError


async def test_makes_the_tables_of_the_schema_folder(
    tmp_path: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of `bigquery/` in the current directory are tables; rows stay between runs."""
    (tmp_path / "bigquery").mkdir()
    (tmp_path / "bigquery" / "visits.json").write_text('[{"name": "n", "type": "INTEGER"}]')
    monkeypatch.chdir(tmp_path)
    dev = msp_integration().dev
    assert dev
    with DevResources({"bigquery": dev}, tmp_path / "data") as resources:
        first = resources.environ
        async with open_bigquery(load(BigQueryConfig, first), contract) as bigquery:
            await bigquery.table_writer("visits").write({"n": 1})
            await bigquery.table_writer("visits", storage=True).write({"n": 2})
        await asyncio.to_thread(resources.stop)
        await asyncio.to_thread(resources.start)
        second = resources.environ
        async with open_bigquery(load(BigQueryConfig, second), contract) as bigquery:
            rows = await asyncio.to_thread(_numbers, bigquery.client())

    assert rows == [1, 2]
    assert first == second
    assert set(first) == {
        "MSP",
        "BIGQUERY_PROJECT_ID",
        "BIGQUERY_DATASET_ID",
        "BIGQUERY_EMULATOR_HOST",
        "BIGQUERY_EMULATOR_GRPC_HOST",
    }


def _numbers(client: object) -> list[int]:
    from google.cloud import bigquery  # noqa: PLC0415 - a heavy import, which two tests need

    assert isinstance(client, bigquery.Client)
    return [row.n for row in client.query_and_wait("SELECT n FROM visits ORDER BY n")]


async def test_says_how_to_install_the_emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it there is the choice between one command and two variables."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DevError, match=r"pip install 'msp-bigquery\[dev\]', or set BIGQUERY_"):
        await _start(tmp_path)


async def test_a_broken_schema_is_shown(tmp_path: Path) -> None:
    """The end of the emulator's log says which file is wrong."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "visits.json").write_text("{")
    with pytest.raises(DevError, match=r"visits\.json"):
        await _start(tmp_path)


async def _start(folder: Path) -> Mapping[str, str]:
    async with bigquery_emulator(folder / "data", schemas=folder / "schemas") as variables:
        return variables
