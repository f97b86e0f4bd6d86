"""PostgreSQL, Redis and BigQuery as their libraries' pages say; the services here share them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis


def make_pool() -> AsyncConnectionPool[Any]:
    """Return a pool that is not open, of the size that the runtime's has."""
    dsn = os.environ["PGDSN"].replace("{{ .Database }}", "primary")
    return AsyncConnectionPool(dsn, min_size=1, max_size=10, open=False)


def make_redis() -> Redis:
    """Return a client."""
    return Redis.from_url(os.environ["REDIS_ENDPOINT"])


def make_bigquery() -> object:
    """Return a client of BigQuery, or None where the service uses none."""
    if "BIGQUERY_PROJECT_ID" not in os.environ:
        return None
    from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - not every time
    from google.cloud import bigquery  # noqa: PLC0415 - same

    return bigquery.Client(
        project=os.environ["BIGQUERY_PROJECT_ID"],
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": os.environ["BIGQUERY_EMULATOR_HOST"]},
    )


@asynccontextmanager
async def open_both(pool: AsyncConnectionPool[Any], redis: Redis) -> AsyncIterator[None]:
    """Open pool and client, and be sure that they answer; close them."""
    async with pool, redis:
        await pool.wait()
        await redis.ping()
        yield


async def ask_both(pool: AsyncConnectionPool[Any], redis: Redis) -> dict[str, Any]:
    """Return what one SELECT and one INCR answered."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT 1")
        row = await cursor.fetchone()
    return {"postgresql": row and row[0], "redis": await redis.incr("bench")}
