"""What the runtime is told about BigQuery, and what opening and closing cost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from msp_bigquery import (
    BigQuery,
    BigQueryConfig,
    DeadLetters,
    WriterClosedError,
    msp_integration,
)
from msp_core.deadline import Deadline, close_deadline
from tests.msp_bigquery.conftest import Opening
from tests.msp_bigquery.rest_server import RestServer
from tests.msp_core.clock import clock_for_all


def test_describes_the_integration(tmp_path: Path) -> None:
    """The record names the type that a service asks for; an outage does not make it unready."""
    integration = msp_integration()

    assert integration.name == "bigquery"
    assert integration.client is BigQuery
    assert integration.config is BigQueryConfig
    assert not integration.critical
    assert integration.check is not None
    assert integration.dev is not None
    assert integration.dev(tmp_path) is not None


def test_importing_it_imports_no_google() -> None:
    """A plugin that is declared but not configured costs nothing."""
    code = (
        "import sys, msp_bigquery; msp_bigquery.msp_integration(); "
        "print({'google', 'grpc', 'requests'} & {name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code

    assert done.stdout in ("set()\n", "{'google'}\n")  # a namespace may be there for others


async def test_the_runtime_s_deadline_bounds_the_flush(opened: Opening) -> None:
    """What cannot be sent before the deadline is handed over before the deadline."""
    buried: list[DeadLetters] = []
    with RestServer() as server:
        server.answers[0] = server.hang

        async def live() -> None:
            async with opened(server.url) as bigquery:
                writer = bigquery.table_writer("t", dead_letter=buried.append)
                await writer.buffered(interval=0).write({"n": 1})
                await asyncio.to_thread(server.asked.acquire)
                close_deadline.set(Deadline.after(0.4))

        async with asyncio.timeout(10):
            await live()

    assert len(buried) == 1


async def test_rows_are_worth_all_the_time_there_is(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that the runtime gives but 0.3 s, a minute at most: rows that are not sent are lost."""
    seen: list[float] = []

    async def note(_bigquery: BigQuery, seconds: float) -> None:
        seen.append(seconds)

    monkeypatch.setattr(BigQuery, "close", note)
    with clock_for_all():
        for given in (None, Deadline.after(1000), Deadline.after(30)):
            async with opened("http://127.0.0.1:1"):
                close_deadline.set(given)

    assert [round(seconds, 6) for seconds in seen] == [60, 60, 29.7]


async def test_gives_google_s_client(opened: Opening) -> None:
    """The client is the library's own, one for all who ask."""
    with RestServer() as server:
        server.schema = [{"name": "n", "type": "INTEGER"}]
        async with opened(server.url) as bigquery:
            clients = await asyncio.gather(*(asyncio.to_thread(bigquery.client) for _ in range(4)))
            table = await asyncio.to_thread(clients[0].get_table, "p.d.t")

    assert len({id(client) for client in clients}) == 1
    assert table.schema[0].name == "n"


async def test_an_unused_bigquery_is_closed_with_ease(opened: Opening) -> None:
    """A service that never writes needs neither BigQuery nor credentials."""
    async with opened("http://127.0.0.1:1") as bigquery:
        bigquery.table_writer("t").buffered()

    with pytest.raises(WriterClosedError):
        bigquery.table_writer("t")


async def test_a_failing_body_is_still_closed(opened: Opening) -> None:
    """The error of the service passes through."""
    with pytest.raises(LookupError):
        async with opened("http://127.0.0.1:1"):
            raise LookupError
