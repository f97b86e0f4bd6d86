"""Python's values as the few that both ways into BigQuery know; no schema is needed."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import functools
import uuid
from collections.abc import Mapping
from typing import Any

import attrs

from msp_bigquery._rows.json import JSON
from msp_bigquery.errors import RowValueError

Plain = Any
"""None, bool, int, float, str, bytes, Decimal, datetime, date, time; lists and dicts of them."""

_PLAIN = (
    type(None),
    bool,
    int,
    float,
    str,
    bytes,
    decimal.Decimal,
    dt.datetime,
    dt.date,
    dt.time,
)
_PLAIN_SET = frozenset(_PLAIN)
_PUNCTUATION = 4  # bytes: two quotes, a colon or comma, a space
_NUMBER = 26  # bytes of the longest float, a comma and a space
_MOMENT = 32  # bytes of a timestamp in quotes, a comma and a space


def plain_row(row: object) -> dict[str, Plain]:
    """Return a row's columns: of an attrs instance its fields, of a mapping its items.

    Raises:
        RowValueError: it is neither, or holds what BigQuery has no type for.
    """
    return _record(row, "")


def plain(value: object, column: str) -> Plain:
    """Return a value as a plain one.

    Args:
        value: anything.
        column: its path, `visitor.name`, for the error.

    Raises:
        RowValueError: BigQuery has no type for it.
    """
    kind: Any = type(value)
    if kind in _PLAIN_SET:
        return value
    if isinstance(value, JSON):
        return _json(value, column)
    if isinstance(value, Mapping) or _fields(kind):
        return _record(value, f"{column}.")
    if isinstance(value, (list, tuple)):
        return [plain(element, column) for element in value]
    return _scalar(value, column)


def weight(value: Plain) -> int:
    """Return about how many bytes a plain value takes as JSON, escapes of ASCII left out."""
    if isinstance(value, str):
        if value.isascii():
            return _PUNCTUATION + len(value)
        return _PUNCTUATION + len(value.encode("utf-16-le", "surrogatepass")) * 3  # \u1234
    if isinstance(value, bytes):
        return _PUNCTUATION + (len(value) + 2) // 3 * 4
    if isinstance(value, dict):
        return _PUNCTUATION + sum(weight(name) + weight(value[name]) for name in value)
    if isinstance(value, list):
        return _PUNCTUATION + sum(map(weight, value))
    return _MOMENT if isinstance(value, (dt.date, dt.time)) else _NUMBER


def _record(value: object, prefix: str) -> dict[str, Plain]:
    kind: Any = type(value)
    if isinstance(value, Mapping):
        items = value.items()
    elif fields := _fields(kind):
        items = {alias: getattr(value, name) for name, alias in fields}.items()
    else:
        raise RowValueError(f"a row is a {kind.__name__}: expected an attrs instance or a mapping")
    return {str(name): plain(inner, f"{prefix}{name}") for name, inner in items}


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - a type, of whatever kind
    """Return (attribute, column) of each field; none when it is no attrs class."""
    if not attrs.has(kind):
        return ()
    return tuple((field.name, field.alias or field.name) for field in attrs.fields(kind))


def _json(value: JSON, column: str) -> str:
    try:
        return value.text()
    except (TypeError, ValueError):  # their texts may quote what is in it
        raise RowValueError(f"column {column!r} holds what JSON cannot express") from None


def _scalar(value: object, column: str) -> Plain:
    if isinstance(value, enum.Enum):
        return plain(value.value, column)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, _PLAIN):  # a subclass, which behaves as what it is derived from
        return value
    raise RowValueError(
        f"column {column!r} is a {type(value).__name__}, for which BigQuery has no type: "
        "convert it first, or wrap it in JSON(…)"
    )
