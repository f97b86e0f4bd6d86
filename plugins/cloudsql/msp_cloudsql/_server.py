"""Server: makes psycopg's pools and connections, with the defaults of this plugin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from msp_cloudsql._login import Login

if TYPE_CHECKING:  # psycopg is imported where something is opened
    from psycopg import AsyncConnection, Connection
    from psycopg.rows import TupleRow

    from msp_cloudsql._pools import AsyncPool, Pool


@attrs.frozen(kw_only=True)
class Server:
    """One PostgreSQL server, and how to reach its databases.

    Attributes:
        login: (database) -> connection string, asked for each new connection.
        application: what the server lists the connections as (`pg_stat_activity`).
        query_logging: whether queries and their arguments are logged. Default False.
    """

    login: Login
    application: str
    query_logging: bool = False

    def pool(self, database: str, options: dict[str, Any]) -> AsyncPool:
        """Return a new pool for asyncio, not opened yet."""
        from msp_cloudsql._pools import AsyncPool  # noqa: PLC0415 - imports the vendor library

        complete = {"connection_class": self._async_connection(), **self._complete(options)}
        return AsyncPool(database, partial(self.login, database), complete)

    def sync_pool(self, database: str, options: dict[str, Any]) -> Pool:
        """Return a new pool for threads, opened; it connects in threads of its own."""
        from msp_cloudsql._pools import Pool  # noqa: PLC0415 - imports the vendor library

        complete = {"connection_class": self._connection(), **self._complete(options)}
        pool = Pool(database, partial(self.login, database), complete)
        pool.open()
        return pool

    async def connect(self, database: str, options: dict[str, Any]) -> AsyncConnection[TupleRow]:
        """Return a new connection."""
        return await self._async_connection().connect(
            self.login(database), **{"fallback_application_name": self.application, **options}
        )

    def _complete(self, options: dict[str, Any]) -> dict[str, Any]:
        name = {"fallback_application_name": self.application}
        return {**options, "kwargs": {**name, **options.get("kwargs", {})}}

    def _async_connection(self) -> type[AsyncConnection[TupleRow]]:
        if self.query_logging:
            from msp_cloudsql._query_log import (  # noqa: PLC0415 - imports the vendor library
                LoggedAsyncConnection,
            )

            return LoggedAsyncConnection
        from psycopg import AsyncConnection  # noqa: PLC0415 - vendor library: opened here

        return AsyncConnection

    def _connection(self) -> type[Connection[TupleRow]]:
        if self.query_logging:
            from msp_cloudsql._query_log import (  # noqa: PLC0415 - imports the vendor library
                LoggedConnection,
            )

            return LoggedConnection
        from psycopg import Connection  # noqa: PLC0415 - vendor library: opened here

        return Connection
