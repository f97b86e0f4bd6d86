"""Whether a connection that waited in a pool for its next use still works.

Imported where a pool is opened: this module imports psycopg_pool.
"""

from __future__ import annotations

import math
import select
import time
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool

# Seconds after a use in which no server is asked whether the connection works: what drops an idle
# connection without a word, such as a firewall, takes minutes. As pgxpool has it; HikariCP, 0.5.
_TRUSTED = 1.0

AnyConnection = AsyncConnection[Any] | Connection[Any]


def note_use(connection: AnyConnection) -> None:
    """Remember that the connection was in use until now."""
    connection.used = time.monotonic()  # type: ignore[union-attr]  # an attribute of ours


async def check_idle_async(connection: AsyncConnection[Any]) -> None:
    """Raise unless the connection works; asks the server only where that is in doubt.

    Raises:
        psycopg.OperationalError: it was closed, here or by the server.
    """
    if _is_in_doubt(connection):
        await AsyncConnectionPool.check_connection(connection)


def check_idle(connection: Connection[Any]) -> None:
    """Raise unless the connection works; else like `check_idle_async`."""
    if _is_in_doubt(connection):
        ConnectionPool.check_connection(connection)


def _is_in_doubt(connection: AnyConnection) -> bool:
    """Return whether the connection was not used lately, or something has arrived on it.

    A server that ends says so, and closes: that is there to be read before anything is sent, so no
    statement is lost to it. TCP tells it to the kernel, and asking the kernel takes no time.
    """
    if time.monotonic() - getattr(connection, "used", -math.inf) >= _TRUSTED:
        return True
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    return bool(arrived.poll(0))
