"""CloudSQL: the pools and connections of psycopg that a service asks its contract for."""

from __future__ import annotations

import asyncio
import os
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msp_cloudsql._migrations.migration import MigrationReport
from msp_cloudsql._per_database import PerDatabase
from msp_cloudsql._pools.server import Server
from msp_core.authoring import PerProcess

if TYPE_CHECKING:  # psycopg is imported where something is opened
    from psycopg import AsyncConnection, Connection
    from psycopg.rows import TupleRow
    from psycopg_pool import AsyncConnectionPool, ConnectionPool

    from msp_cloudsql._pools.pools import AsyncPool, Pool

_CLOSE_LIMIT = 2.0  # seconds for a pool's workers to end; the runtime has nine for everything


class CloudSQL:
    """Gives pools and connections to the databases of the configured server.

    The runtime closes them. May be asked from any thread, and again after a fork. What is for
    asyncio belongs to the event loop of the service, on which this object must be made.

    Args:
        server: makes them.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._closing = False
        self._opening: set[asyncio.Task[None]] = set()
        self._pools = PerDatabase(self._make_pool, closed=_closed_error)
        self._sync_pools = PerDatabase(server.sync_pool, closed=_closed_error)
        self._connections: PerProcess[[], weakref.WeakSet[AsyncConnection[TupleRow]]]
        self._connections = PerProcess(weakref.WeakSet, closed=_closed_error)
        self._sync_connections: PerProcess[[], weakref.WeakSet[Connection[TupleRow]]]
        self._sync_connections = PerProcess(weakref.WeakSet, closed=_closed_error)

    def pool(
        self,
        database: str,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> AsyncConnectionPool[AsyncConnection[TupleRow]]:
        """Return the database's pool for asyncio, one per process.

        It connects in the background: the first use waits for the server, for `timeout` (10)
        seconds at most. Options are those of `psycopg_pool.AsyncConnectionPool`; only the first
        call may give any.

        Raises:
            UsageError: the pool exists with other options.
            psycopg_pool.PoolClosed: the service has stopped.
        """
        return self._pools.get(database, options)

    def sync_pool(
        self,
        database: str,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> ConnectionPool[Connection[TupleRow]]:
        """Return the database's pool for threads, one per process; else like `pool`."""
        return self._sync_pools.get(database, options)

    async def connect(
        self,
        database: str,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> AsyncConnection[TupleRow]:
        """Return a new connection; one still held when the service stops is closed then.

        Options are those of `psycopg.AsyncConnection.connect`.

        Raises:
            psycopg.OperationalError: the server is not there, or refused the login.
            psycopg_pool.PoolClosed: the service has stopped.
        """
        connections = self._connections.get()  # first: once closed, nothing is connected
        connection = await self._server.connect(database, options)
        connections.add(connection)
        return connection

    def sync_connect(
        self,
        database: str,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Connection[TupleRow]:
        """Return a new connection for threads, which blocks until it is there; else like `connect`.

        Options are those of `psycopg.Connection.connect`.
        """
        connections = self._sync_connections.get()
        connection = self._server.sync_connect(database, options)
        connections.add(connection)
        return connection

    async def migrate(
        self,
        database: str,
        directory: str | Path,
        *,
        check: bool = False,
        lock_timeout: float = 60.0,
        statement_timeout: float | None = None,
    ) -> MigrationReport:
        """Apply what a database lacks of a folder of migrations, from any number of processes.

        Where nothing is to do this is one query, which locks nothing. Else one process applies
        the files, and the others wait for it without a statement or transaction of theirs.

        Args:
            database: whose table `msp_migrations` says what it has.
            directory: with `0001_name.sql` and so on; numbers from 1, without gaps.
            check: only look; raise when anything is to do. Default False.
            lock_timeout: seconds to wait for another process that migrates. Default 60.
            statement_timeout: seconds for each statement. Default: the server's own limit.

        Raises:
            MigrationError: the database is not where it should be; each subclass is one reason.
            psycopg.Error: the server is not there, or refused more than a statement of a file.
            psycopg_pool.PoolClosed: the service has stopped.
        """
        from msp_cloudsql._migrations.migrator import migrate  # noqa: PLC0415 - imports the vendor library

        return await migrate(
            partial(self.connect, database, autocommit=True),
            Path(directory),
            check=check,
            lock_timeout=lock_timeout,
            statement_timeout=statement_timeout,
        )

    def opened(self) -> tuple[AsyncPool, ...]:
        """Return the pools for asyncio that this process asked for."""
        return self._pools.made()

    def sync_opened(self) -> tuple[Pool, ...]:
        """Return the pools for threads that this process asked for."""
        return self._sync_pools.made()

    async def close(self) -> None:
        """Close every pool and connection of this process, all at the same time."""
        self._closing = True
        held = [connection for kept in self._connections.close() for connection in kept]
        await asyncio.gather(
            *(_close(pool) for pool in self._pools.close()),
            *(asyncio.to_thread(pool.close, _CLOSE_LIMIT) for pool in self._sync_pools.close()),
            *(connection.close() for connection in held),
        )
        for sync_held in [each for kept in self._sync_connections.close() for each in kept]:
            sync_held.close()

    def _make_pool(self, database: str, options: dict[str, Any]) -> AsyncPool:
        pool = self._server.pool(database, options)
        # The loop does not run in the child of a fork: there the pool's first use opens it.
        if os.getpid() == self._pid:
            self._loop.call_soon_threadsafe(self._open_soon, pool)
        return pool

    def _open_soon(self, pool: AsyncPool) -> None:
        if not self._closing:
            opening = self._loop.create_task(pool.open())
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)


def _closed_error() -> Exception:
    from psycopg_pool import PoolClosed  # noqa: PLC0415 - vendor library, imported by now

    return PoolClosed("cloudsql is closed: the service has stopped")


async def _close(pool: AsyncPool) -> None:
    await pool.open()  # one that was never opened would open itself on a later use
    await pool.close(_CLOSE_LIMIT)
