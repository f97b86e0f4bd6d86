"""Arguments of queries as attributes of a span, within the limits that the Go runtime has."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Mapping, Sequence

_MOST = 24  # arguments
_LONGEST = 240  # bytes of one
_TOLD = (dt.date, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID)

Value = str | bool | int | float


def argument_attributes(arguments: object, scrub: Callable[[str], str]) -> dict[str, Value]:
    """Return `db.query.parameter.…` for each argument, by position (from 0) or name.

    Of more than 24 only their number is given.
    """
    if isinstance(arguments, Mapping):
        named = {str(name): value for name, value in arguments.items()}
    elif isinstance(arguments, Sequence):
        named = {str(at): value for at, value in enumerate(arguments)}
    else:
        return {}
    if len(named) > _MOST:
        return {"msp.db.parameters_omitted": len(named)}
    return {f"db.query.parameter.{name}": _value(value, scrub) for name, value in named.items()}


def _value(value: object, scrub: Callable[[str], str]) -> Value:
    if isinstance(value, bool | int | float):
        return value
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return _shorten(scrub(value).encode(errors="replace"))
    if isinstance(value, bytes | bytearray | memoryview):
        return _shorten(scrub(bytes(value).decode(errors="replace")).encode())
    return str(value) if isinstance(value, _TOLD) else f"unhandled type {type(value).__name__}"


def _shorten(data: bytes) -> str:
    return data[:_LONGEST].decode(errors="replace")
