"""Connections and cursors of psycopg that let a `Watch` observe what they do.

Imported where a connection is opened: this module imports psycopg.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Self

from psycopg import (
    AsyncConnection,
    AsyncCopy,
    AsyncCursor,
    AsyncPipeline,
    Connection,
    Copy,
    Cursor,
    Pipeline,
)
from psycopg.abc import Params, Query
from psycopg.rows import TupleRow

from msp_cloudsql._telemetry.shown_query import Place
from msp_cloudsql._telemetry.watch import Watch, place_of


class ObservedAsyncCursor(AsyncCursor[TupleRow]):
    """A cursor for asyncio whose queries are watched."""

    __slots__ = ()  # combined with cursors that have slots

    async def execute(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Run a query."""
        with _watch(self).query(self, query, params):
            return await super().execute(query, params, **options)  # type: ignore[arg-type]  # overloads

    async def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> None:
        """Run a query once for each of the arguments."""
        watch = _watch(self)
        many = tuple(params_seq) if watch.logging else params_seq
        with watch.batch(self, query, many):
            await super().executemany(query, many, **options)

    async def stream(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> AsyncIterator[TupleRow]:
        """Run a query and give its rows as they arrive."""
        with _watch(self).query(self, query, params):
            rows: Any = super().stream(query, params, **options)  # a generator, typed as less
            async with aclosing(rows):
                async for row in rows:
                    yield row

    @asynccontextmanager
    async def copy(
        self,
        statement: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> AsyncIterator[AsyncCopy]:
        """Run a COPY."""
        with _watch(self).query(self, statement, params):
            async with super().copy(statement, params, **options) as copy:
                yield copy


class ObservedAsyncConnection(AsyncConnection[TupleRow]):
    """A connection for asyncio that is watched, and its cursors."""

    watch: Watch
    place: Place
    waited: float | None = None  # seconds, for the pool's next connection

    @classmethod
    async def connect(  # type: ignore[override]  # takes one thing more
        cls,
        conninfo: str = "",
        *,
        watch: Watch,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Return a new connection."""
        with watch.connect(conninfo) as note:
            connection = await super().connect(conninfo, **options)
            note(connection)
        connection.watch = watch
        connection.place = place_of(connection)
        connection.cursor_factory = _observe(ObservedAsyncCursor, connection.cursor_factory)
        server_cursors = _observe(ObservedAsyncCursor, connection.server_cursor_factory)
        connection.server_cursor_factory = server_cursors
        return connection

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[AsyncPipeline]:
        """Send queries without waiting for each answer."""
        with self.watch.pipeline(self.place):
            async with super().pipeline() as pipeline:
                yield pipeline


class ObservedCursor(Cursor[TupleRow]):
    """A cursor for threads whose queries are watched."""

    __slots__ = ()  # combined with cursors that have slots

    def execute(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Run a query."""
        with _watch(self).query(self, query, params):
            return super().execute(query, params, **options)  # type: ignore[arg-type]  # overloads

    def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> None:
        """Run a query once for each of the arguments."""
        watch = _watch(self)
        many = tuple(params_seq) if watch.logging else params_seq
        with watch.batch(self, query, many):
            super().executemany(query, many, **options)

    def stream(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Iterator[TupleRow]:
        """Run a query and give its rows as they arrive."""
        with _watch(self).query(self, query, params):
            yield from super().stream(query, params, **options)

    @contextmanager
    def copy(
        self,
        statement: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Iterator[Copy]:
        """Run a COPY."""
        with (
            _watch(self).query(self, statement, params),
            super().copy(statement, params, **options) as copy,
        ):
            yield copy


class ObservedConnection(Connection[TupleRow]):
    """A connection for threads that is watched, and its cursors."""

    watch: Watch
    place: Place
    waited: float | None = None  # seconds, for the pool's next connection

    @classmethod
    def connect(  # type: ignore[override]  # takes one thing more
        cls,
        conninfo: str = "",
        *,
        watch: Watch,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Return a new connection."""
        with watch.connect(conninfo) as note:
            connection = super().connect(conninfo, **options)
            note(connection)
        connection.watch = watch
        connection.place = place_of(connection)
        connection.cursor_factory = _observe(ObservedCursor, connection.cursor_factory)
        server_cursors = _observe(ObservedCursor, connection.server_cursor_factory)
        connection.server_cursor_factory = server_cursors
        return connection

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        """Send queries without waiting for each answer."""
        with self.watch.pipeline(self.place), super().pipeline() as pipeline:
            yield pipeline


def _watch(cursor: AsyncCursor[Any] | Cursor[Any]) -> Watch:
    watch: Watch = cursor.connection.watch  # type: ignore[union-attr]  # ours, or marked by ours
    return watch


def _observe(observed: type, given: Any) -> Any:  # noqa: ANN401 - one of four kinds of cursors
    """Return cursors that are watched and else those that were given."""
    if not isinstance(given, type):  # a function that makes them, which we cannot look into
        return given
    return _combine(observed, given)


@functools.cache
def _combine(observed: type, given: type) -> type:
    return type(given.__name__, (observed, given), {"__slots__": ()})
