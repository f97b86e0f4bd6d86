"""Watch: who observes connections and queries: the query log, and tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from contextlib import ExitStack, contextmanager
from typing import Any

import attrs
from psycopg import AsyncConnection, AsyncCursor, Connection, Cursor
from psycopg.abc import Query
from psycopg.conninfo import conninfo_to_dict

from msp_cloudsql._telemetry.query_lines import connect_lines, query_lines
from msp_cloudsql._telemetry.sql_text import operation_of, text_of, without_values
from msp_cloudsql._telemetry.tracing import Tracing

AnyConnection = AsyncConnection[Any] | Connection[Any]
AnyCursor = AsyncCursor[Any] | Cursor[Any]


@attrs.frozen(kw_only=True)
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
                known = {"db.namespace": name, "db.operation.name": "CONNECT"}
                span = stack.enter_context(self.tracing.span("CONNECT", known, telling=True))
            yield lambda made: span.set_attributes(_place(made)) if span else None

    @contextmanager
    def query(self, cursor: AnyCursor, query: Query, arguments: object) -> Iterator[None]:
        """Observe a query."""
        text = text_of(cursor, query)
        if not text:  # a pool checks its connections with it
            yield
            return
        with ExitStack() as stack:
            if self.logging:
                stack.enter_context(query_lines(cursor, text, arguments))
            span = None
            if self.tracing:
                known = _query(cursor, text)
                named = known.get("db.operation.name")
                span = stack.enter_context(self.tracing.span(named, known, arguments=arguments))
            yield
            if span and cursor.description and cursor.rowcount >= 0:
                span.set_attribute("db.response.returned_rows", cursor.rowcount)

    @contextmanager
    def batch(self, cursor: AnyCursor, query: Query, many: object) -> Iterator[None]:
        """Observe a query that is run once for each of many arguments."""
        text = text_of(cursor, query)
        with ExitStack() as stack:
            if self.logging:
                stack.enter_context(query_lines(cursor, text, many))
            if self.tracing:
                known = _query(cursor, text)
                name = f"BATCH {known.get('db.operation.name', '')}".strip()
                known["db.operation.name"] = name
                if isinstance(many, Sized):
                    known["db.operation.batch.size"] = len(many)
                stack.enter_context(self.tracing.span(name, known))
            yield

    @contextmanager
    def pipeline(self, connection: AnyConnection) -> Iterator[None]:
        """Observe queries that are sent without waiting for each answer."""
        if self.tracing is None:
            yield
            return
        known = {**_place(connection), "db.operation.name": "PIPELINE"}
        with self.tracing.span("PIPELINE", known):
            yield


def _query(cursor: AnyCursor, text: str) -> dict[str, Any]:
    shown = without_values(text)
    operation = operation_of(shown)
    return {
        **_place(cursor.connection),
        **({"db.operation.name": operation} if operation else {}),
        "db.query.text": shown,
    }


def _place(connection: AnyConnection) -> dict[str, Any]:
    info = connection.info
    return {
        "db.namespace": info.dbname,
        "server.address": info.host,
        "server.port": info.port,
    }
