"""PG_QUERY_LOGGING: which lines a query and a connection leave, and that no password is in them."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql

from msp_cloudsql import CloudSQL, CloudSQLConfig
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load

_FIELDS = ("sql", "arguments", "status", "rows", "error")


@pytest.fixture
async def cloudsql(
    postgresql_environ: Mapping[str, str], contract: Contract, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[CloudSQL]:
    """Give a client that logs its queries."""
    caplog.set_level(logging.DEBUG, "msp.cloudsql.query")
    config = load(CloudSQLConfig, {**postgresql_environ, "PG_QUERY_LOGGING": "true"})
    async with open_cloudsql(config, contract) as opened:
        yield opened


def _lines(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [
        {name: vars(record)[name] for name in _FIELDS if name in vars(record)}
        for record in caplog.records
        if record.getMessage() == message
    ]


async def test_logs_each_query_with_arguments_and_outcome(
    cloudsql: CloudSQL, caplog: pytest.LogCaptureFixture
) -> None:
    """Start and end of a query tell what ran, with what, and what came of it."""
    day, began = dt.date(2026, 1, 2), time.monotonic()
    async with cloudsql.pool("primary").connection() as connection:
        await connection.execute("SELECT %s::int, %s::date", (7, day))
        await connection.execute(b"SELECT 8")
        await connection.execute(sql.SQL("SELECT 9 AS {}").format(sql.Identifier("n")))

    assert _lines(caplog, "query start") == [
        {"sql": "SELECT %s::int, %s::date", "arguments": '[7, "2026-01-02"]'},
        {"sql": "SELECT 8", "arguments": "null"},
        {"sql": 'SELECT 9 AS "n"', "arguments": "null"},
    ]
    assert _lines(caplog, "query end") == [{"status": "SELECT 1", "rows": 1}] * 3
    assert all(
        0 <= vars(record)["duration"] <= time.monotonic() - began
        for record in caplog.records
        if record.getMessage() == "query end"
    )


async def test_logs_a_failed_query(cloudsql: CloudSQL, caplog: pytest.LogCaptureFixture) -> None:
    """The end line holds the error; the error reaches the caller unchanged."""
    async with await cloudsql.connect("primary") as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await connection.execute("SELECT * FROM missing")

    (end,) = _lines(caplog, "query end")
    assert end["error"].startswith('UndefinedTable: relation "missing" does not exist')


async def test_logs_streams_copies_and_many_at_once(
    cloudsql: CloudSQL, caplog: pytest.LogCaptureFixture
) -> None:
    """Every way to run a query leaves its lines."""
    async with await cloudsql.connect("primary") as connection, connection.cursor() as cursor:
        await cursor.execute("CREATE TEMPORARY TABLE t (n int)")
        await cursor.executemany("INSERT INTO t VALUES (%s)", ((each,) for each in (1, 2)))
        rows = [row async for row in cursor.stream("SELECT n FROM t ORDER BY n")]
        async with cursor.copy("COPY t TO STDOUT") as copy:
            copied = [bytes(data) async for data in copy]

    assert rows == [(1,), (2,)]
    assert copied == [b"1\n", b"2\n"]
    assert [line["sql"].split()[0] for line in _lines(caplog, "query start")] == [
        "CREATE",
        "INSERT",
        "SELECT",
        "COPY",
    ]
    assert _lines(caplog, "query start")[1]["arguments"] == "[[1], [2]]"
    assert len(_lines(caplog, "query end")) == 4


async def test_logs_the_same_for_threads(
    cloudsql: CloudSQL, caplog: pytest.LogCaptureFixture
) -> None:
    """Synchronous cursors leave the same lines."""

    def use() -> list[Any]:
        with cloudsql.sync_pool("primary").connection() as connection:
            cursor = connection.execute("CREATE TEMPORARY TABLE s (n int)")
            cursor.executemany("INSERT INTO s VALUES (%s)", ((each,) for each in (1, 2)))
            with cursor.copy("COPY s TO STDOUT") as copy:
                copied = [bytes(data) for data in copy]
            return [*copied, *cursor.stream("SELECT n FROM s ORDER BY n")]

    assert await asyncio.to_thread(use) == [b"1\n", b"2\n", (1,), (2,)]
    assert [line["sql"].split()[0] for line in _lines(caplog, "query start")] == [
        "CREATE",
        "INSERT",
        "COPY",
        "SELECT",
    ]
    assert _lines(caplog, "query start")[1]["arguments"] == "[[1], [2]]"
    assert len(_lines(caplog, "query end")) == 4


async def test_logs_where_it_connects_without_the_password(
    postgresql_environ: Mapping[str, str], contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    """Database, host, port and user are told, the password is not."""
    caplog.set_level(logging.DEBUG, "msp.cloudsql.query")
    dsn = postgresql_environ["PGDSN"].replace("postgres@", "postgres:hunter2@")
    config = load(CloudSQLConfig, {"PGDSN": dsn, "PG_QUERY_LOGGING": "true"})
    async with open_cloudsql(config, contract) as cloudsql:
        await (await cloudsql.connect("primary")).close()
        with pytest.raises(psycopg.OperationalError):
            await cloudsql.connect("missing")

    starts = [vars(record) for record in caplog.records if record.msg == "connect start"]
    assert [start["dbname"] for start in starts] == ["primary", "missing"]
    assert {start["host"] for start in starts} == {"127.0.0.1"}
    assert {start["user"] for start in starts} == {"postgres"}
    assert [bool(line) for line in _lines(caplog, "connect end")] == [False, True]
    assert not any("hunter2" in str(vars(record)) for record in caplog.records)


async def test_leaves_no_line_above_its_level(
    cloudsql: CloudSQL, caplog: pytest.LogCaptureFixture
) -> None:
    """The lines are for whoever asks for level debug; nobody else pays for them."""
    caplog.set_level(logging.INFO, "msp.cloudsql.query")
    async with cloudsql.pool("primary").connection() as connection:
        await connection.execute("SELECT 1")

    assert _lines(caplog, "query start") == _lines(caplog, "query end") == []
