"""Connections and cursors of psycopg that log what they do, arguments included.

For a laptop: `PG_QUERY_LOGGING` is refused with `MSP=true`. Imported where a connection is
opened: this module imports psycopg.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Self

from psycopg import AsyncConnection, AsyncCopy, AsyncCursor, Connection, Copy, Cursor
from psycopg.abc import Params, Query
from psycopg.rows import TupleRow

from msp_cloudsql._query_lines import connect_lines, query_lines


class LoggedAsyncCursor(AsyncCursor[TupleRow]):
    """A cursor for asyncio that logs its queries."""

    async def execute(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Run a query."""
        with query_lines(self, query, params):
            return await super().execute(query, params, **options)  # type: ignore[arg-type]  # overloads

    async def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> None:
        """Run a query once for each of the arguments."""
        many = tuple(params_seq)
        with query_lines(self, query, many):
            await super().executemany(query, many, **options)

    async def stream(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> AsyncIterator[TupleRow]:
        """Run a query and give its rows as they arrive."""
        with query_lines(self, query, params):
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
        with query_lines(self, statement, params):
            async with super().copy(statement, params, **options) as copy:
                yield copy


class LoggedAsyncConnection(AsyncConnection[TupleRow]):
    """A connection for asyncio that logs its start and its queries."""

    @classmethod
    async def connect(
        cls,
        conninfo: str = "",
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Return a new connection."""
        with connect_lines(conninfo):
            return await super().connect(
                conninfo, **{"cursor_factory": LoggedAsyncCursor, **options}
            )


class LoggedCursor(Cursor[TupleRow]):
    """A cursor for threads that logs its queries."""

    def execute(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Run a query."""
        with query_lines(self, query, params):
            return super().execute(query, params, **options)  # type: ignore[arg-type]  # overloads

    def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> None:
        """Run a query once for each of the arguments."""
        many = tuple(params_seq)
        with query_lines(self, query, many):
            super().executemany(query, many, **options)

    def stream(
        self,
        query: Query,
        params: Params | None = None,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Iterator[TupleRow]:
        """Run a query and give its rows as they arrive."""
        with query_lines(self, query, params):
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
            query_lines(self, statement, params),
            super().copy(statement, params, **options) as copy,
        ):
            yield copy


class LoggedConnection(Connection[TupleRow]):
    """A connection for threads that logs its start and its queries."""

    @classmethod
    def connect(
        cls,
        conninfo: str = "",
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Return a new connection."""
        with connect_lines(conninfo):
            return super().connect(conninfo, **{"cursor_factory": LoggedCursor, **options})
