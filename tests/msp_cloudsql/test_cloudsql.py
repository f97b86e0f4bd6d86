"""CloudSQL: real pools of a real server, from opening to closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

import psycopg
import pytest
from psycopg_pool import PoolClosed, PoolTimeout

from msp_cloudsql import CloudSQL, CloudSQLConfig
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load
from msp_core.dev import free_port
from msp_core.errors import UsageError
from tests.forked import in_child

PoolT = TypeVar("PoolT")

_APPLICATION = "SELECT current_setting('application_name'), current_database()"


async def test_a_pool_works_at_once(cloudsql: CloudSQL) -> None:
    """The first use, without any wait before it, opens the pool and reaches the database."""
    async with cloudsql.pool("primary").connection() as connection:
        row = await (await connection.execute(_APPLICATION)).fetchone()

    assert row == ("guestbook", "primary")


async def test_a_pool_opens_in_the_background(cloudsql: CloudSQL) -> None:
    """A pool connects although nobody uses it yet, so the first request finds it warm."""
    pool = cloudsql.pool("primary")
    await pool.wait()

    assert pool.get_stats()["pool_available"] == 1


async def test_a_pool_for_threads_works(cloudsql: CloudSQL) -> None:
    """Synchronous code gets the same server under the same name."""

    def use() -> object:
        with cloudsql.sync_pool("primary").connection() as connection:
            return connection.execute(_APPLICATION).fetchone()

    assert await asyncio.to_thread(use) == ("guestbook", "primary")


async def test_there_is_one_pool_per_database(cloudsql: CloudSQL) -> None:
    """Whoever asks again, from any thread, gets the same pool."""
    pools = [cloudsql.pool("primary"), *await _in_threads(cloudsql.pool)]
    sync_pools = [cloudsql.sync_pool("primary"), *await _in_threads(cloudsql.sync_pool)]

    assert len({id(pool) for pool in pools}) == 1
    assert len({id(pool) for pool in sync_pools}) == 1
    assert cloudsql.pool("postgres") is not cloudsql.pool("primary")


async def _in_threads(ask: Callable[[str], PoolT]) -> list[PoolT]:
    return await asyncio.gather(*(asyncio.to_thread(ask, "primary") for _ in range(4)))


async def test_a_pool_asked_for_in_a_thread_belongs_to_the_loop(cloudsql: CloudSQL) -> None:
    """A plain `def msp_initialize` runs in a worker thread; its pool serves the loop."""
    pool = await asyncio.to_thread(cloudsql.pool, "primary")
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")

    assert not pool.closed


async def test_options_are_given_once(cloudsql: CloudSQL) -> None:
    """The first call configures the pool; another one must not silently differ from it."""
    options = {"max_size": 3, "kwargs": {"autocommit": True}}
    pool = cloudsql.pool("primary", **options)
    async with pool.connection() as connection:
        row = await (await connection.execute(_APPLICATION)).fetchone()

        assert connection.autocommit
    assert row == ("guestbook", "primary")
    assert pool.max_size == 3
    assert cloudsql.pool("primary") is cloudsql.pool("primary", **options)
    with pytest.raises(UsageError, match="pool of database 'primary' exists with other options"):
        cloudsql.pool("primary", max_size=4)


async def test_a_connection_is_closed_unless_the_caller_did(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> None:
    """A connection that nobody closes does not outlive the service."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        kept = await cloudsql.connect("primary", autocommit=True)
        closed = await cloudsql.connect("primary")
        await closed.close()

        assert kept.autocommit
        assert not kept.closed
    assert kept.closed


async def test_a_sync_connection_is_closed_unless_the_caller_did(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> None:
    """A connection for threads has the plugin's defaults, and does not outlive the service."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        kept = await asyncio.to_thread(cloudsql.sync_connect, "primary", autocommit=True)
        with cloudsql.sync_connect("primary") as closed:
            row = closed.execute(_APPLICATION).fetchone()

        assert row == ("guestbook", "primary")
        assert (kept.autocommit, kept.closed, closed.closed) == (True, False, True)
    assert kept.closed
    with pytest.raises(PoolClosed):
        cloudsql.sync_connect("primary")


async def test_closes_everything_for_good(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> None:
    """What is used after the service has stopped raises the library's own error."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        pool, sync_pool = cloudsql.pool("primary"), cloudsql.sync_pool("primary")
        unused = cloudsql.pool("postgres")
        async with pool.connection():
            pass

    for closed in (pool, unused):
        with pytest.raises(PoolClosed):
            await closed.getconn()
    with pytest.raises(PoolClosed):
        sync_pool.getconn()
    with pytest.raises(PoolClosed):
        cloudsql.pool("primary")
    with pytest.raises(PoolClosed):
        cloudsql.sync_pool("primary")
    with pytest.raises(PoolClosed):
        await cloudsql.connect("primary")


async def test_a_pool_that_nothing_opened_yet_is_closed_too(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> None:
    """A service may stop in the moment it asked for a pool."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        pool = cloudsql.pool("primary")

    with pytest.raises(PoolClosed):
        await pool.getconn()


async def test_another_process_gets_pools_of_its_own(cloudsql: CloudSQL) -> None:
    """The child of a fork shares no socket with its parent, and closes none of its pools."""
    parents, sync_parents = cloudsql.pool("primary"), cloudsql.sync_pool("primary")
    await parents.wait()
    await asyncio.to_thread(sync_parents.wait)
    async with await cloudsql.connect("primary") as connection:

        async def use() -> None:
            assert cloudsql.pool("primary") is not parents
            assert cloudsql.sync_pool("primary") is not sync_parents
            async with cloudsql.pool("primary").connection() as used:
                await used.execute("SELECT 1")
            with cloudsql.sync_pool("primary").connection() as used_here:
                used_here.execute("SELECT 1")
            await cloudsql.close()
            assert not connection.closed

        in_child(lambda: asyncio.run(use()))

        await connection.execute("SELECT 1")
        async with parents.connection() as pooled:
            await pooled.execute("SELECT 1")
        assert not sync_parents.closed


async def test_opening_does_not_wait_for_the_server(contract: Contract) -> None:
    """A service starts without its database; the first use says so after the pool's timeout."""
    dsn = f"postgresql://postgres@127.0.0.1:{free_port()}/{{{{ .Database }}}}"
    async with open_cloudsql(load(CloudSQLConfig, {"PGDSN": dsn}), contract) as cloudsql:
        pool = cloudsql.pool("primary", timeout=0.1)
        with pytest.raises(PoolTimeout):
            await pool.getconn()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            await cloudsql.connect("primary")
