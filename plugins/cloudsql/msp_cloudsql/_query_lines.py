"""The log lines around a query and around the start of a connection."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import AsyncCursor, Cursor
from psycopg.abc import Query
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import as_string

logger = logging.getLogger("msp.cloudsql.query")


@contextmanager
def query_lines(
    cursor: AsyncCursor[Any] | Cursor[Any],
    query: Query,
    arguments: object,
) -> Iterator[None]:
    """Log the start and the end of a query on the cursor, level debug."""
    text = _text(cursor, query)
    if not text or not logger.isEnabledFor(logging.DEBUG):  # a pool checks with an empty query
        yield
        return
    logger.debug(
        "query start", extra={"sql": text, "arguments": json.dumps(arguments, default=str)}
    )
    end: dict[str, Any] = {}
    with _timed("query end", end):
        yield
        end.update(status=cursor.statusmessage, rows=cursor.rowcount)


@contextmanager
def connect_lines(conninfo: str) -> Iterator[None]:
    """Log the start and the end of connecting, level debug; never the password."""
    found = conninfo_to_dict(conninfo)
    place = {name: str(found.get(name)) for name in ("dbname", "host", "port", "user")}
    logger.debug("connect start", extra=place)
    with _timed("connect end", {}):
        yield


@contextmanager
def _timed(message: str, fields: dict[str, Any]) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        fields["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        logger.debug(message, extra={**fields, "duration": time.monotonic() - started})


def _text(cursor: AsyncCursor[Any] | Cursor[Any], query: Query) -> str:
    if isinstance(query, str):
        return query
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    return as_string(query, cursor.connection)
