"""Connections that wait in a pool: those in use are trusted, dead ones are never handed out."""

from __future__ import annotations

import asyncio
import select
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from msp_cloudsql import CloudSQL
from msp_cloudsql._pools import idle


class Clock:
    """A clock that stands still."""

    now = 100.0

    def monotonic(self) -> float:
        """Return its time in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock by which connections are trusted."""
    given = Clock()
    monkeypatch.setattr(idle, "time", given)
    return given


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give the connections whose server was asked, in order."""
    connections: list[Any] = []
    check, check_async = ConnectionPool.check_connection, AsyncConnectionPool.check_connection

    def noted(connection: Any) -> None:
        connections.append(connection)
        check(connection)

    async def noted_async(connection: Any) -> None:
        connections.append(connection)
        await check_async(connection)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(noted))
    monkeypatch.setattr(AsyncConnectionPool, "check_connection", staticmethod(noted_async))
    return connections


async def use(cloudsql: CloudSQL) -> int:
    """Return the server process of the pool's connection."""
    async with cloudsql.pool("primary", max_size=1).connection() as connection:
        await connection.execute("SELECT 1")
        return connection.info.backend_pid


def sync_use(cloudsql: CloudSQL) -> int:
    """Return the same of the pool for threads."""
    with cloudsql.sync_pool("primary", max_size=1).connection() as connection:
        connection.execute("SELECT 1")
        return connection.info.backend_pid


async def use_either(cloudsql: CloudSQL, *, threads: bool) -> int:
    """Return the same of one of both."""
    return await (asyncio.to_thread(sync_use, cloudsql) if threads else use(cloudsql))


@pytest.mark.parametrize("threads", [False, True])
async def test_the_server_is_asked_a_second_after_the_last_use(
    threads: bool,  # noqa: FBT001 - a parameter of the test
    cloudsql: CloudSQL,
    clock: Clock,
    asked: list[Any],
) -> None:
    """Not before: it is a round trip for every request. A new connection is asked once."""
    await use_either(cloudsql, threads=threads)
    del asked[:]
    for later in (0.0, 0.5, 0.999):
        clock.now += later
        await use_either(cloudsql, threads=threads)
    assert asked == []

    clock.now += 1.0
    await use_either(cloudsql, threads=threads)
    assert len(asked) == 1


@pytest.mark.parametrize("threads", [False, True])
async def test_a_dead_connection_is_replaced_before_anything_is_sent(
    threads: bool,  # noqa: FBT001 - a parameter of the test
    cloudsql: CloudSQL,
    clock: Clock,
) -> None:
    """Also one that was used a moment ago: the server has closed it, and said so."""
    before = await use_either(cloudsql, threads=threads)
    async with await cloudsql.connect("postgres", autocommit=True) as admin:
        cursor = await admin.execute("SELECT pg_terminate_backend(%s, 10000)", (before,))
        assert await cursor.fetchone() == (True,)

    after = await use_either(cloudsql, threads=threads)

    assert clock.now == 100.0
    assert after != before


async def test_a_connection_that_was_closed_here_is_replaced(
    cloudsql: CloudSQL, clock: Clock
) -> None:
    """Who closes what they borrowed takes it from nobody else."""
    before = await use(cloudsql)
    pool = cloudsql.pool("primary", max_size=1)
    await pool._pool[0].close()

    assert await use(cloudsql) != before
    assert clock.now == 100.0


async def test_a_check_of_the_service_s_own_is_always_called(
    cloudsql: CloudSQL, clock: Clock
) -> None:
    """Whoever wants to know each time gets to know each time."""
    called = []

    async def check(connection: Any) -> None:
        called.append(connection)

    pool = cloudsql.pool("primary", check=check)
    for _ in range(3):
        async with pool.connection():
            pass

    assert len(called) == 3
    assert clock.now == 100.0


async def test_what_arrived_meanwhile_is_no_reason_to_close(
    cloudsql: CloudSQL, clock: Clock, asked: list[Any]
) -> None:
    """A notification puts the connection in doubt; the server is asked, and it stays."""
    options = {"max_size": 1, "kwargs": {"autocommit": True}}
    pool = cloudsql.pool("primary", **options)
    async with pool.connection() as connection:
        await connection.execute("LISTEN news")
        before = connection.info.backend_pid
    async with await cloudsql.connect("primary", autocommit=True) as other:
        await other.execute("NOTIFY news")
        await asyncio.to_thread(_wait_readable, pool._pool[0])
    del asked[:]
    async with pool.connection() as connection:
        assert connection.info.backend_pid == before

    assert len(asked) == 1
    assert clock.now == 100.0


def _wait_readable(connection: Any) -> None:
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    assert arrived.poll(20_000)


def test_a_connection_that_nobody_used_is_asked() -> None:
    """It may have waited for minutes since it was made."""
    assert idle._is_in_doubt(SimpleNamespace())  # type: ignore[arg-type]  # enough of one
