"""The health check: SELECT 1 over every pool, within limits of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msp_cloudsql._cloudsql import CloudSQL
from msp_cloudsql._telemetry.tracing import without_trace

if TYPE_CHECKING:  # imports psycopg
    from msp_cloudsql._pools.pools import AsyncPool, Pool

_LIMIT = 1.5  # seconds; below the runtime's limit of 2, so that the error says what was slow
_POOL_LIMIT = 1.0  # seconds to wait for a connection of a pool
_MAINTENANCE = "postgres"  # the database that every server has


async def select_one(cloudsql: CloudSQL) -> None:
    """Raise unless every pool that was asked for answers `SELECT 1` soon.

    Without any pool a connection is made for it, to the database `postgres`.

    Raises:
        psycopg.OperationalError: the server refused the connection, or lost it; as its subclass
            `PoolTimeout`: it is gone, or all connections of the pool are in use.
        TimeoutError: no answer in time.
    """
    try:
        # A probe every few seconds is nothing to look at in traces.
        async with asyncio.timeout(_LIMIT):
            with without_trace():
                await _check_all(cloudsql)
    except TimeoutError:
        raise TimeoutError(f"no answer to SELECT 1 within {_LIMIT} s") from None


async def _check_all(cloudsql: CloudSQL) -> None:
    checks = [_check_pool(pool) for pool in cloudsql.opened()]
    checks += [asyncio.to_thread(_check_sync_pool, pool) for pool in cloudsql.sync_opened()]
    results = await asyncio.gather(*checks or [_check_server(cloudsql)], return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _check_pool(pool: AsyncPool) -> None:
    with _name_pool(pool):
        async with pool.connection(_POOL_LIMIT) as connection:
            await connection.execute("SELECT 1")


def _check_sync_pool(pool: Pool) -> None:
    with _name_pool(pool), pool.connection(_POOL_LIMIT) as connection:
        connection.execute("SELECT 1")


@contextmanager
def _name_pool(pool: AsyncPool | Pool) -> Iterator[None]:
    from psycopg_pool import PoolTimeout  # noqa: PLC0415 - vendor library, imported by now

    try:
        yield
    except PoolTimeout:
        raise PoolTimeout(
            f"database {pool.name!r} gave no connection within {_POOL_LIMIT:g} s: the server is "
            f"away, refuses the login, or all {pool.max_size} connections are in use"
        ) from None


async def _check_server(cloudsql: CloudSQL) -> None:
    async with await cloudsql.connect(_MAINTENANCE) as connection:
        await connection.execute("SELECT 1")
