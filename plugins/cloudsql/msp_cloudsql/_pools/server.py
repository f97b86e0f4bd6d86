"""Server: makes psycopg's pools and connections, with the defaults of this plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from msp_cloudsql._login import Login
from msp_cloudsql._telemetry.pool_metrics import PoolMetrics
from msp_cloudsql._telemetry.tracing import Tracing, tracing
from msp_cloudsql._telemetry.waiting import Waiting

ClassT = TypeVar("ClassT")

if TYPE_CHECKING:  # psycopg is imported where something is opened
    from psycopg import AsyncConnection, Connection
    from psycopg.rows import TupleRow

    from msp_cloudsql._pools.pools import AsyncPool, Pool
    from msp_cloudsql._telemetry.watch import Watch


@attrs.frozen(kw_only=True, eq=False)
class Server:
    """One PostgreSQL server, and how to reach its databases.

    Attributes:
        login: how connections are made.
        application: what the server lists the connections as (`pg_stat_activity`).
        query_logging: whether queries and their arguments are logged. Default False.
        trace_arguments: whether spans show values. Default False.
        scrub: (text) -> the text without secrets, for those values.
        metrics: record how long pools let their users wait; None without.
    """

    login: Login
    application: str
    query_logging: bool = False
    trace_arguments: bool = False
    scrub: Callable[[str], str] = str
    metrics: PoolMetrics | None = None

    def pool(self, database: str, options: dict[str, Any]) -> AsyncPool:
        """Return a new pool for asyncio, not opened yet."""
        from msp_cloudsql._pools.pools import AsyncPool  # noqa: PLC0415 - imports the vendor library

        watch = self._watch()
        kind = self._async_connection(watch, options.get("connection_class"))
        complete = {**options, "connection_class": kind, "kwargs": self._kwargs(watch, options)}
        return AsyncPool(database, self.login, complete, self._make_waiting(database))

    def sync_pool(self, database: str, options: dict[str, Any]) -> Pool:
        """Return a new pool for threads, opened; it connects in threads of its own."""
        from msp_cloudsql._pools.pools import Pool  # noqa: PLC0415 - imports the vendor library

        watch = self._watch()
        kind = self._connection(watch, options.get("connection_class"))
        complete = {**options, "connection_class": kind, "kwargs": self._kwargs(watch, options)}
        pool = Pool(database, self.login, complete, self._make_waiting(database))
        pool.open()
        return pool

    async def connect(self, database: str, options: dict[str, Any]) -> AsyncConnection[TupleRow]:
        """Return a new connection."""
        watch = self._watch()
        complete = self._kwargs(watch, {"kwargs": options})
        kind = self._async_connection(watch, None)
        return await kind.connect(self.login.conninfo(database), **complete)

    def sync_connect(self, database: str, options: dict[str, Any]) -> Connection[TupleRow]:
        """Return a new connection for one thread at a time."""
        watch = self._watch()
        complete = self._kwargs(watch, {"kwargs": options})
        kind = self._connection(watch, None)
        return kind.connect(self.login.conninfo(database), **complete)

    def _find_tracing(self) -> Tracing | None:
        """Return what makes spans; asked anew each time, as a service may set it up itself."""
        return tracing(arguments=self.trace_arguments, scrub=self.scrub)

    def _make_waiting(self, database: str) -> Waiting | None:
        traced = self._find_tracing()
        if traced is None and self.metrics is None:
            return None
        return Waiting(database=database, tracing=traced, metrics=self.metrics)

    def _watch(self) -> Watch | None:
        traced = self._find_tracing()
        if traced is None and not self.query_logging:
            return None
        from msp_cloudsql._telemetry.watch import Watch  # noqa: PLC0415 - imports the vendor library

        return Watch(logging=self.query_logging, tracing=traced)

    def _kwargs(self, watch: Watch | None, options: dict[str, Any]) -> dict[str, Any]:
        own: dict[str, Any] = {"fallback_application_name": self.application}
        if watch:
            own["watch"] = watch
        if self.login.instance:
            own["instance"] = self.login.instance
        return {**own, **options.get("kwargs", {})}

    def _async_connection(
        self, watch: Watch | None, given: type[AsyncConnection[TupleRow]] | None
    ) -> type[AsyncConnection[TupleRow]]:
        from psycopg import AsyncConnection  # noqa: PLC0415 - vendor library: opened here

        parts: list[type[AsyncConnection[TupleRow]]] = []
        if watch:
            from msp_cloudsql._telemetry.observed import (  # noqa: PLC0415 - imports the vendor library
                ObservedAsyncConnection,
            )

            parts.append(ObservedAsyncConnection)
        if self.login.instance:
            from msp_cloudsql._instance.connection import (  # noqa: PLC0415 - imports the vendor library
                AsyncInstanceConnection,
            )

            parts.append(AsyncInstanceConnection)
        return _combine(parts, given or AsyncConnection)

    def _connection(
        self, watch: Watch | None, given: type[Connection[TupleRow]] | None
    ) -> type[Connection[TupleRow]]:
        from psycopg import Connection  # noqa: PLC0415 - vendor library: opened here

        parts: list[type[Connection[TupleRow]]] = []
        if watch:
            from msp_cloudsql._telemetry.observed import (  # noqa: PLC0415 - imports the vendor library
                ObservedConnection,
            )

            parts.append(ObservedConnection)
        if self.login.instance:
            from msp_cloudsql._instance.connection import (  # noqa: PLC0415 - imports the vendor library
                InstanceConnection,
            )

            parts.append(InstanceConnection)
        return _combine(parts, given or Connection)


def _combine(parts: list[type[ClassT]], given: type[ClassT]) -> type[ClassT]:
    """Return a class that is all of them, the first outermost."""
    return type(given.__name__, (*parts, given), {}) if parts else given
