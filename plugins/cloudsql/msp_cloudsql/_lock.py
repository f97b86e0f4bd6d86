"""The lock of a job: a session's advisory lock of PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from msp_cloudsql._cloudsql import CloudSQL
from msp_core.contract import JobContract
from msp_core.errors import LockHeldError
from msp_core.hookspecs import hookimpl

if TYPE_CHECKING:  # psycopg is imported where something is opened
    from psycopg import AsyncConnection
    from psycopg.rows import TupleRow

_DATABASE = "primary"

# The lock is the session's: a server that ends idle ones would end it, and one that goes on
# believing in a machine that is gone would keep the job from being tried again.
_PREPARE = """
SET idle_session_timeout = 0;
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3
"""


@hookimpl
def msp_job_lock(
    contract: JobContract, name: str
) -> AbstractAsyncContextManager[asyncio.Event] | None:
    """Give an advisory lock in the database `primary`; None while no server is configured."""
    return advisory_lock(contract[CloudSQL], name) if contract.configured(CloudSQL) else None


@asynccontextmanager
async def advisory_lock(cloudsql: CloudSQL, name: str) -> AsyncIterator[asyncio.Event]:
    """Hold a lock on a connection of its own, and give an event that is set when that is lost.

    Raises:
        LockHeldError: somebody else holds the lock.
        psycopg.OperationalError: the server is not there, or refused the login.
    """
    async with await cloudsql.connect(_DATABASE, autocommit=True) as connection:
        await connection.execute(_PREPARE)
        if not await _try_lock(connection, _key(name)):
            raise LockHeldError(f"lock {name!r} is held by another execution", lock=name)
        lost = asyncio.Event()
        watching = asyncio.create_task(_watch(connection, lost), name=f"connection of lock {name}")
        try:
            yield lost
        finally:
            watching.cancel()
            await asyncio.wait({watching})


def _key(name: str) -> int:
    """Return the number the lock has on the server, the same in every version."""
    digest = hashlib.blake2b(f"msp-job-lock:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


async def _try_lock(connection: AsyncConnection[TupleRow], key: int) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (key,))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def _watch(connection: AsyncConnection[TupleRow], lost: asyncio.Event) -> None:
    """Wait for what is never sent: the end of the connection shows at once."""
    from psycopg import Error  # noqa: PLC0415 - vendor library, imported by now

    with contextlib.suppress(Error):
        async for _ in connection.notifies():
            pass
    lost.set()
