"""The pools of psycopg_pool, with the defaults of this plugin.

Imported where a pool is opened: this module imports psycopg_pool.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextvars import Context
from functools import partial
from typing import Any

from psycopg import AsyncConnection, Connection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from msp_cloudsql._login import Login
from msp_cloudsql._pools.idle import check_idle, check_idle_async, note_use
from msp_cloudsql._telemetry.waiting import Waiting
from msp_core.authoring import Outage

logger = logging.getLogger("msp.cloudsql")

_DEFAULTS: dict[str, Any] = {
    # One warm connection answers the first request; idle instances do not use up the server's.
    "min_size": 1,
    # Ten instances of ten make the 100 connections that a small server allows.
    "max_size": 10,
    # Seconds to wait for a connection: below the usual limit of a request, so that the caller
    # still gets an answer that says what was wrong.
    "timeout": 10.0,
    # Seconds: follows a failover or a change of the login within the hour (tokens last one).
    "max_lifetime": 3000.0,
    # Seconds of trying in the background before it rests until the next use. The library's
    # 300 let the pauses grow to two minutes, in which a server that is back goes unused.
    "reconnect_timeout": 10.0,
}


class AsyncPool(AsyncConnectionPool[AsyncConnection[TupleRow]]):
    """A pool for asyncio that opens itself on first use, if it was not opened before.

    Args:
        database: name of the pool.
        login: asked for each new connection.
        options: of `AsyncConnectionPool`; what is not given has this plugin's default.
        waiting: measures how long users wait for a connection; None without.
    """

    def __init__(
        self, database: str, login: Login, options: dict[str, Any], waiting: Waiting | None = None
    ) -> None:
        defaults = {**_DEFAULTS, "name": database, "check": check_idle_async}
        complete = _limit_lifetime({**defaults, **options}, login)
        complete["check"] = partial(_check_async, complete["check"])
        super().__init__(partial(login.conninfo, database), open=False, **complete)
        self._outage = _make_outage(database)
        self._login = login
        self._waits = waiting

    async def open(self, wait: bool = False, timeout: float = 30.0) -> None:  # noqa: FBT001, FBT002, ASYNC109 - the library's
        """Start connecting; nothing happens when it did already."""
        # Its tasks live on, so they must not belong to the request that happened to come first:
        # what they do would count as a part of it, forever.
        opening = super().open(wait, timeout)
        await asyncio.create_task(opening, context=Context())

    async def wait(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - the library's
        """Wait until the smallest number of connections is there."""
        await self.open()
        await super().wait(timeout)

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[TupleRow]:  # noqa: ASYNC109 - the library's
        """Return a connection that works."""
        if self.closed:
            await self.open()
        try:
            if self._waits is None:
                connection = await super().getconn(timeout)
            else:
                with self._waits.measure() as wait:
                    connection = wait.connection = await super().getconn(timeout)
        except PoolTimeout as error:
            raise _explain(error, self._login) from None
        self._outage.end()
        return connection

    async def putconn(self, conn: AsyncConnection[TupleRow]) -> None:
        """Take a connection back."""
        note_use(conn)
        await super().putconn(conn)

    async def reconnect_failed(self) -> None:
        """Note the outage; called by the library after `reconnect_timeout` of failures."""
        self._outage.begin(f"no connection within {self.reconnect_timeout:g} s")
        await super().reconnect_failed()


class Pool(ConnectionPool[Connection[TupleRow]]):
    """A pool for threads; not opened when it is made.

    Args:
        database: name of the pool.
        login: asked for each new connection.
        options: of `ConnectionPool`; what is not given has this plugin's default.
        waiting: measures how long users wait for a connection; None without.
    """

    def __init__(
        self, database: str, login: Login, options: dict[str, Any], waiting: Waiting | None = None
    ) -> None:
        defaults = {**_DEFAULTS, "name": database, "check": check_idle}
        complete = _limit_lifetime({**defaults, **options}, login)
        complete["check"] = partial(_check, complete["check"])
        super().__init__(partial(login.conninfo, database), open=False, **complete)
        self._outage = _make_outage(database)
        self._login = login
        self._waits = waiting

    def getconn(self, timeout: float | None = None) -> Connection[TupleRow]:
        """Return a connection that works."""
        try:
            if self._waits is None:
                connection = super().getconn(timeout)
            else:
                with self._waits.measure() as wait:
                    connection = wait.connection = super().getconn(timeout)
        except PoolTimeout as error:
            raise _explain(error, self._login) from None
        self._outage.end()
        return connection

    def putconn(self, conn: Connection[TupleRow]) -> None:
        """Take a connection back."""
        note_use(conn)
        super().putconn(conn)

    def reconnect_failed(self) -> None:
        """Note the outage; called by the library after `reconnect_timeout` of failures."""
        self._outage.begin(f"no connection within {self.reconnect_timeout:g} s")
        super().reconnect_failed()


def _make_outage(database: str) -> Outage:
    return Outage(f"connecting to database {database!r}", logger, logging.ERROR)


def _limit_lifetime(options: dict[str, Any], login: Login) -> dict[str, Any]:
    """Return options by which connections end no later than a token that was new for them."""
    longest = _DEFAULTS["max_lifetime"] if login.instance else math.inf
    return {**options, "max_lifetime": min(options["max_lifetime"], longest)}


async def _check_async(rest: Any, connection: AsyncConnection[TupleRow]) -> None:  # noqa: ANN401 - the library's option
    """Close a connection that outlives what it logged in with; else check as asked for."""
    if getattr(connection, "expires", math.inf) < time.time():
        await connection.close()
        raise OperationalError("the login of the connection has ended")
    if rest is not None:
        await rest(connection)


def _check(rest: Any, connection: Connection[TupleRow]) -> None:  # noqa: ANN401 - the library's option
    """Close a connection that outlives what it logged in with; else check as asked for."""
    if getattr(connection, "expires", math.inf) < time.time():
        connection.close()
        raise OperationalError("the login of the connection has ended")
    if rest is not None:
        rest(connection)


def _explain(error: PoolTimeout, login: Login) -> PoolTimeout:
    """Return the error with the reason why there is no connection, where it is known."""
    reason = login.instance.trouble if login.instance else None
    return PoolTimeout(f"{error}: {reason}") if reason else error
