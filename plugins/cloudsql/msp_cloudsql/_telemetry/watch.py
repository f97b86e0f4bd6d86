"""Watch: who observes connections and queries: the query log, and tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Any

import attrs
from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor
from psycopg.abc import Query
from psycopg.conninfo import conninfo_to_dict

from msp_cloudsql._telemetry.query_lines import connect_lines, query_lines
from msp_cloudsql._telemetry.shown_query import Place, show_query
from msp_cloudsql._telemetry.sql_text import text_of
from msp_cloudsql._telemetry.tracing import SYSTEM, TracedWork, Tracing

AnyConnection = AsyncConnection[Any] | Connection[Any]
AnyCursor = AsyncCursor[Any] | Cursor[Any]

_UNOBSERVED = nullcontext()


@attrs.frozen(kw_only=True, eq=False)
class Watch:
    """Who observes what.

    Attributes:
        logging: whether queries are logged, arguments included.
        tracing: makes spans; None for none.
    """

    logging: bool
    tracing: Tracing | None

    @contextmanager
    def connect(self, conninfo: str) -> Iterator[Callable[[AnyConnection], None]]:
        """Observe connecting; gives what is to be called with the connection."""
        with ExitStack() as stack:
            span = None
            if self.logging:
                stack.enter_context(connect_lines(conninfo))
            if self.tracing:
                name = conninfo_to_dict(conninfo).get("dbname")
                known = {**SYSTEM, "db.namespace": name, "db.operation.name": "CONNECT"}
                title = " ".join(str(word) for word in ("CONNECT", name) if word)
                span = stack.enter_context(self.tracing.span(title, known, telling=True))
            yield lambda made: span.set_attributes(place_of(made).attributes) if span else None

    def query(
        self, cursor: AnyCursor, query: Query, arguments: object
    ) -> AbstractContextManager[object]:
        """Observe a query."""
        text = text_of(cursor, query)
        if not text:  # a pool checks its connections with it
            return _UNOBSERVED
        if self.logging:
            return self._log_query(cursor, text, arguments)
        return self._trace_query(cursor, text, arguments)

    @contextmanager
    def batch(self, cursor: AnyCursor, query: Query, many: object) -> Iterator[None]:
        """Observe a query that is run once for each of many arguments."""
        text = text_of(cursor, query)
        with ExitStack() as stack:
            if self.logging:
                stack.enter_context(query_lines(cursor, text, many))
            if self.tracing:
                place = _place(cursor)
                shown = show_query(text, place)
                name = f"BATCH {shown.operation or ''}".strip()
                known = {**shown.attributes, "db.operation.name": name}
                if isinstance(many, Sized):
                    known["db.operation.batch.size"] = len(many)
                stack.enter_context(self.tracing.span(f"{name} {place.database}", known))
            yield

    @contextmanager
    def pipeline(self, place: Place) -> Iterator[None]:
        """Observe queries that are sent without waiting for each answer."""
        if self.tracing is None:
            yield
            return
        known = {**place.attributes, "db.operation.name": "PIPELINE"}
        with self.tracing.span(f"PIPELINE {place.database}", known):
            yield

    @contextmanager
    def _log_query(self, cursor: AnyCursor, text: str, arguments: object) -> Iterator[None]:
        with query_lines(cursor, text, arguments), self._trace_query(cursor, text, arguments):
            yield

    def _trace_query(
        self, cursor: AnyCursor, text: str, arguments: object
    ) -> AbstractContextManager[object]:
        if self.tracing is None:
            return _UNOBSERVED
        shown = show_query(text, _place(cursor))
        work = self.tracing.span(shown.name, shown.attributes, arguments=arguments)
        return _TracedQuery(work, cursor)


class _TracedQuery:
    """Records a query, what it waited for its connection, and how many rows it returned."""

    __slots__ = ("_cursor", "_work")

    def __init__(self, work: TracedWork, cursor: AnyCursor) -> None:
        self._work = work
        self._cursor = cursor

    def __enter__(self) -> None:
        span = self._work.__enter__()
        connection: Any = self._cursor.connection
        if span is not None and connection.waited is not None:
            span.set_attribute("msp.db.wait_time", connection.waited)
            connection.waited = None  # of the first query only: the others waited for nothing

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        span, cursor = self._work.span, self._cursor
        if span is not None and error is None and span.is_recording():
            result = cursor.pgresult
            if result is not None and result.nfields and cursor.rowcount >= 0:
                span.set_attribute("db.response.returned_rows", cursor.rowcount)
        self._work.__exit__(kind, error, trace)


def place_of(connection: AnyConnection) -> Place:
    """Return where the connection leads."""
    info = connection.info
    return Place(info.dbname, info.host, info.port)


def _place(cursor: AnyCursor) -> Place:
    place: Place = cursor.connection.place  # type: ignore[union-attr]  # ours, or marked by ours
    return place
