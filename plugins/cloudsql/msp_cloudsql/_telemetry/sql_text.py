"""What may be shown of a query: its operation, and its text without values."""

from __future__ import annotations

import re
from typing import Any

from psycopg import AsyncCursor, Cursor
from psycopg.abc import Query
from psycopg.sql import as_string

# Only these become names of spans: a mistyped word may be anything.
_OPERATIONS = re.compile(
    "ALTER|ANALYZE|BEGIN|CALL|CLOSE|CLUSTER|COMMENT|COMMIT|COPY|CREATE|DEALLOCATE|DECLARE|DELETE|"
    "DISCARD|DO|DROP|EXECUTE|EXPLAIN|FETCH|GRANT|INSERT|LISTEN|LOCK|MERGE|MOVE|NOTIFY|PREPARE|"
    "REFRESH|REINDEX|RELEASE|RESET|REVOKE|ROLLBACK|SAVEPOINT|SELECT|SET|SHOW|START|TABLE|TRUNCATE|"
    "UNLISTEN|UPDATE|VACUUM|VALUES|WITH"
)
_WORD = re.compile(r"[\s(;]*([A-Za-z]+)")
_VALUE = re.compile(
    r"""
      --[^\n]* | /\*.*?(?:\*/|\Z)                           # comments may hold values too
    | [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z)
    | \$(?P<tag>[^\W\d]\w*)?\$.*?(?:\$(?(tag)(?P=tag))\$|\Z)
    | (?P<kept> "(?:[^"]|"")*" | [^\W\d][\w$]* | \$\d+ )  # names, placeholders
    | \d[\w.]*
    """,
    re.VERBOSE | re.DOTALL,
)


def text_of(cursor: AsyncCursor[Any] | Cursor[Any], query: Query) -> str:
    """Return a query as text, in whatever form it was given."""
    if isinstance(query, str):
        return query
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    return as_string(query, cursor.connection)


def without_values(text: str) -> str:
    """Return SQL with `?` in the place of each literal, and without comments."""
    return _VALUE.sub(_replacement, text).strip()


def operation_of(text: str) -> str | None:
    """Return the first word of SQL that has no comments, when it is a command."""
    found = _WORD.match(text)
    word = found[1].upper() if found else None
    return word if word and _OPERATIONS.fullmatch(word) else None


def _replacement(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    return "" if found[0].startswith(("--", "/*")) else "?"
