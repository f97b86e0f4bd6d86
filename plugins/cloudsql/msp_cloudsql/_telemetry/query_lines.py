"""The log lines around a query and around the start of a connection."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import AsyncCursor, Cursor
from psycopg.conninfo import conninfo_to_dict

logger = logging.getLogger("msp.cloudsql.query")

_PLACE = ("dbname", "host", "port", "user")  # an instance gives host and user only later


@contextmanager
def query_lines(
    cursor: AsyncCursor[Any] | Cursor[Any],
    text: str,
    arguments: object,
) -> Iterator[None]:
    """Log the start and the end of a query on the cursor, level debug."""
    if not logger.isEnabledFor(logging.DEBUG):
        yield
        return
    logger.debug(
        "query start", extra={"sql": text, "arguments": json.dumps(arguments, default=str)}
    )
    end: dict[str, Any] = {}
    with _measure("query end", end):
        yield
        end.update(status=cursor.statusmessage, rows=cursor.rowcount)


@contextmanager
def connect_lines(conninfo: str) -> Iterator[None]:
    """Log the start and the end of connecting, level debug; never the password."""
    found = conninfo_to_dict(conninfo)
    place = {name: str(found[name]) for name in _PLACE if name in found}
    logger.debug("connect start", extra=place)
    with _measure("connect end", {}):
        yield


@contextmanager
def _measure(message: str, fields: dict[str, Any]) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        fields["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        logger.debug(message, extra={**fields, "duration": time.monotonic() - started})
