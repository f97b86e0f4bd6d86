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
                await _everywhere(cloudsql)
    except TimeoutError:
        raise TimeoutError(f"no answer to SELECT 1 within {_LIMIT} s") from None


async def _everywhere(cloudsql: CloudSQL) -> None:
    checks = [_over(pool) for pool in cloudsql.opened()]
    checks += [asyncio.to_thread(_over_sync, pool) for pool in cloudsql.sync_opened()]
    results = await asyncio.gather(*checks or [_directly(cloudsql)], return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _over(pool: AsyncPool) -> None:
    with _naming(pool):
        async with pool.connection(_POOL_LIMIT) as connection:
            await connection.execute("SELECT 1")


def _over_sync(pool: Pool) -> None:
    with _naming(pool), pool.connection(_POOL_LIMIT) as connection:
        connection.execute("SELECT 1")


@contextmanager
def _naming(pool: AsyncPool | Pool) -> Iterator[None]:
    from psycopg_pool import PoolTimeout  # noqa: PLC0415 - vendor library, imported by now

    try:
        yield
    except PoolTimeout:
        raise PoolTimeout(
            f"database {pool.name!r} gave no connection within {_POOL_LIMIT:g} s: the server is "
            f"away, refuses the login, or all {pool.max_size} connections are in use"
        ) from None


async def _directly(cloudsql: CloudSQL) -> None:
    async with await cloudsql.connect(_MAINTENANCE) as connection:
        await connection.execute("SELECT 1")
