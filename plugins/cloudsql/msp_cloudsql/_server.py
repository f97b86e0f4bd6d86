"""Server: makes psycopg's pools and connections, with the defaults of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from msp_cloudsql._login import Login

ClassT = TypeVar("ClassT")

if TYPE_CHECKING:  # psycopg is imported where something is opened
    from psycopg import AsyncConnection, Connection
    from psycopg.rows import TupleRow

    from msp_cloudsql._pools import AsyncPool, Pool


@attrs.frozen(kw_only=True)
class Server:
    """One PostgreSQL server, and how to reach its databases.

    Attributes:
        login: how connections are made.
        application: what the server lists the connections as (`pg_stat_activity`).
        query_logging: whether queries and their arguments are logged. Default False.
    """

    login: Login
    application: str
    query_logging: bool = False

    def pool(self, database: str, options: dict[str, Any]) -> AsyncPool:
        """Return a new pool for asyncio, not opened yet."""
        from msp_cloudsql._pools import AsyncPool  # noqa: PLC0415 - imports the vendor library

        kind = self._async_connection(options.get("connection_class"))
        complete = {**options, "connection_class": kind, "kwargs": self._kwargs(options)}
        return AsyncPool(database, self.login, complete)

    def sync_pool(self, database: str, options: dict[str, Any]) -> Pool:
        """Return a new pool for threads, opened; it connects in threads of its own."""
        from msp_cloudsql._pools import Pool  # noqa: PLC0415 - imports the vendor library

        kind = self._connection(options.get("connection_class"))
        complete = {**options, "connection_class": kind, "kwargs": self._kwargs(options)}
        pool = Pool(database, self.login, complete)
        pool.open()
        return pool

    async def connect(self, database: str, options: dict[str, Any]) -> AsyncConnection[TupleRow]:
        """Return a new connection."""
        kind = self._async_connection(None)
        complete = self._kwargs({"kwargs": options})
        return await kind.connect(self.login.conninfo(database), **complete)

    def _kwargs(self, options: dict[str, Any]) -> dict[str, Any]:
        own: dict[str, Any] = {"fallback_application_name": self.application}
        if self.login.instance:
            own["instance"] = self.login.instance
        return {**own, **options.get("kwargs", {})}

    def _async_connection(
        self, given: type[AsyncConnection[TupleRow]] | None
    ) -> type[AsyncConnection[TupleRow]]:
        from psycopg import AsyncConnection  # noqa: PLC0415 - vendor library: opened here

        from msp_cloudsql._instance_connection import (  # noqa: PLC0415 - imports it
            AsyncInstanceConnection,
        )
        from msp_cloudsql._query_log import LoggedAsyncConnection  # noqa: PLC0415 - imports it

        parts: list[type[AsyncConnection[TupleRow]]] = []
        if self.query_logging:
            parts.append(LoggedAsyncConnection)
        if self.login.instance:
            parts.append(AsyncInstanceConnection)
        return _combined(parts, given or AsyncConnection)

    def _connection(self, given: type[Connection[TupleRow]] | None) -> type[Connection[TupleRow]]:
        from psycopg import Connection  # noqa: PLC0415 - vendor library: opened here

        from msp_cloudsql._instance_connection import (  # noqa: PLC0415 - imports it
            InstanceConnection,
        )
        from msp_cloudsql._query_log import LoggedConnection  # noqa: PLC0415 - imports it

        parts: list[type[Connection[TupleRow]]] = []
        if self.query_logging:
            parts.append(LoggedConnection)
        if self.login.instance:
            parts.append(InstanceConnection)
        return _combined(parts, given or Connection)


def _combined(parts: list[type[ClassT]], given: type[ClassT]) -> type[ClassT]:
    """Return a class that is all of them, the first outermost."""
    return type(given.__name__, (*parts, given), {}) if parts else given
