"""Forks: the child of a process that writes writes too, and sends nothing of its parent's."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.msp_bigquery.rest_server import RestServer
from tests.msp_bigquery.write_server import WriteServer

SCHEMA = [{"name": "name", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]
BEGIN = """
import asyncio, os
from types import SimpleNamespace
from msp_bigquery import BigQueryConfig, Counts
from msp_bigquery._plugin import open_bigquery
from msp_core.config import load
from msp_core.errors import UsageError
from tests.forked import in_child


def row(n):
    return {"name": "good", "n": n}


runner = asyncio.Runner()
opening = open_bigquery(load(BigQueryConfig, os.environ), SimpleNamespace(name="forks"))
bigquery = runner.run(opening.__aenter__())
"""
WRITING = """
def write(first):
    asyncio.run(writer.write(row(first)))
    writer.write_sync(row(first + 1))
    buffered.write_sync(row(first + 2))
    asyncio.run(buffered.write(row(first + 3)))
    assert buffered.counts == Counts(accepted=2, written=0, refused=0, pending=2)
    buffered.flush_sync()
    buffered.write_sync(row(first + 4))
    asyncio.run(bigquery.close(10))


writer = bigquery.table_writer("t", storage={storage}, insert_ids=True)
buffered = writer.buffered(interval=3600)
"""
AFTER_ROWS = """
runner.run(writer.write(row(1)))
buffered.write_sync(row(2))
buffered.flush_sync()
buffered.write_sync(row(3))
in_child(lambda: write(10))
runner.run(writer.write(row(4)))
buffered.write_sync(row(5))
runner.run(opening.__aexit__(None, None, None))
"""
BEFORE_ROWS = """
in_child(lambda: write(10))
in_child(lambda: write(20))
write(30)
"""
REFUSED = """
def refused():
    for write in (writer.write_sync, buffered.write_sync):
        try:
            write(row(10))
        except UsageError as error:
            assert "fork before the first row" in str(error)
        else:
            raise AssertionError("took a row")


writer.write_sync(row(1))
buffered.write_sync(row(2))
in_child(refused)
buffered.write_sync(row(3))
runner.run(opening.__aexit__(None, None, None))
"""


async def run(script: str, folder: Path) -> list[int]:
    """Run a script in a process of its own, gRPC's threads being here; return what it wrote."""
    (folder / "forks.py").write_text(BEGIN + script)
    with RestServer() as rest, WriteServer() as server:
        rest.schema = SCHEMA
        environ = os.environ | {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}
        environ |= {"BIGQUERY_EMULATOR_HOST": rest.url, "PYTHONPATH": str(Path.cwd())}
        environ |= {"BIGQUERY_EMULATOR_GRPC_HOST": server.address}
        command = [sys.executable, str(folder / "forks.py")]
        process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)  # noqa: ASYNC220, S603 - our own script
        _, said = await asyncio.to_thread(process.communicate, timeout=60)
        assert process.returncode == 0, said
        return sorted([row["n"] for row in rest.rows] + [row.n for row in server.rows])


async def test_the_child_of_a_process_that_writes_writes(tmp_path: Path) -> None:
    """By every call, with threads and connections of its own; each row is written once."""
    script = WRITING.format(storage=False) + AFTER_ROWS

    assert await run(script, tmp_path) == [1, 2, 3, 4, 5, 10, 11, 12, 13, 14]


@pytest.mark.parametrize("storage", [False, True], ids=["insertAll", "storage"])
async def test_workers_write_with_what_was_opened_before_them(
    tmp_path: Path, *, storage: bool
) -> None:
    """Writers are made once and inherited, as by a WSGI server that loads its application first."""
    script = WRITING.format(storage=storage) + BEFORE_ROWS

    assert await run(script, tmp_path) == [*range(10, 15), *range(20, 25), *range(30, 35)]


async def test_a_child_that_cannot_use_grpc_is_told(tmp_path: Path) -> None:
    """It ends who uses it after a parent did: no row is taken, the parent loses none."""
    assert await run(WRITING.format(storage=True) + REFUSED, tmp_path) == [1, 2, 3]
