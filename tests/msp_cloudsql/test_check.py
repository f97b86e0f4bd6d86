"""The health check and the pools through an outage, a wrong password, a silent server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from msp_cloudsql import CloudSQL, CloudSQLConfig
from msp_cloudsql._check import select_one
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load
from msp_core.dev import DevResources


async def test_follows_an_outage_of_the_server(
    stoppable_postgresql: DevResources, contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    """Check and pools fail while the server is stopped and recover with it; one line each."""
    caplog.set_level(logging.INFO, "msp.cloudsql")
    gave_up, sync_gave_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    config = load(CloudSQLConfig, stoppable_postgresql.environ)
    async with open_cloudsql(config, contract) as cloudsql:
        await select_one(cloudsql)
        pool = cloudsql.pool(
            "primary", reconnect_timeout=0.1, reconnect_failed=lambda _: gave_up.set()
        )
        sync_pool = cloudsql.sync_pool(
            "primary",
            reconnect_timeout=0.1,
            reconnect_failed=lambda _: loop.call_soon_threadsafe(sync_gave_up.set),
        )
        await select_one(cloudsql)
        await asyncio.to_thread(stoppable_postgresql.stop)
        with pytest.raises(psycopg.OperationalError):
            await select_one(cloudsql)
        async with asyncio.timeout(20):
            await gave_up.wait()
            await sync_gave_up.wait()
        await asyncio.to_thread(stoppable_postgresql.start)
        await _until_healthy(cloudsql)
        async with pool.connection() as connection:
            row = await (await connection.execute("SELECT 2")).fetchone()

    assert row == (2,)
    assert sync_pool.closed
    lines = [record.getMessage() for record in caplog.records if record.name == "msp.cloudsql"]
    lost = "connecting to database 'primary' fails: no connection within 0.1 s; it is tried again"
    assert lines.count(lost) == 2
    assert sum("works again after" in line for line in lines) == 2
    assert len(lines) == 4


async def _until_healthy(cloudsql: CloudSQL) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await select_one(cloudsql)
            except psycopg.OperationalError:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_pool_without_a_free_connection_is_unhealthy(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> None:
    """It could not serve the next request; the error says which pool, and what may be wrong."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        async with cloudsql.pool("primary", max_size=1).connection():
            with pytest.raises(PoolTimeout, match=r"'primary' .* all 1 connections are in use"):
                await select_one(cloudsql)
            with pytest.raises(PoolTimeout, match=r"after 0.05 sec$"):  # nothing more is known
                await cloudsql.pool("primary").getconn(0.05)
        await select_one(cloudsql)


async def test_a_wrong_password_is_refused_and_not_shown(
    stoppable_postgresql: DevResources, contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither error nor log lines hold what we sent."""
    dsn = stoppable_postgresql.environ["PGDSN"]
    await _require_password(dsn.replace("{{ .Database }}", "postgres"))
    wrong = dsn.replace("postgres@", "guest:hunter2@")
    async with open_cloudsql(load(CloudSQLConfig, {"PGDSN": wrong}), contract) as cloudsql:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed") as one:
            await select_one(cloudsql)
        cloudsql.pool("primary")
        with pytest.raises(PoolTimeout) as other:
            await select_one(cloudsql)

    assert "hunter2" not in f"{one.value} {other.value} {caplog.text}"


async def _require_password(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
        await admin.execute("CREATE ROLE guest LOGIN PASSWORD 'right'")
        row = await (await admin.execute("SHOW hba_file")).fetchone()
        assert row is not None
        rules = Path(row[0])
        text = rules.read_text("utf-8")  # noqa: ASYNC240 - a small file, in a test
        rules.write_text(f"host all guest 127.0.0.1/32 scram-sha-256\n{text}", "utf-8")  # noqa: ASYNC240 - same
        await admin.execute("SELECT pg_reload_conf()")


async def test_a_silent_server_fails_the_check_in_time(contract: Contract) -> None:
    """A server that accepts and never answers must not hold up the probe."""
    silent = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = load(CloudSQLConfig, {"PGDSN": f"postgresql://postgres@127.0.0.1:{port}/db"})
    async with server, open_cloudsql(config, contract) as cloudsql:
        with pytest.raises(TimeoutError, match="no answer to SELECT 1"):
            await select_one(cloudsql)
        cloudsql.pool("db")
        with pytest.raises(PoolTimeout):
            await select_one(cloudsql)
        silent.set()
