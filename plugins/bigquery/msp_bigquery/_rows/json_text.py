"""JSON as text: by orjson where it is installed, the same by the standard library where not."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import enum
import importlib
import json
import math
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

import attrs

from msp_bigquery._rows.plain import Plain

_EXACT = 2**53  # beyond it, who reads JSON numbers as floats loses digits


@attrs.frozen
class _Orjson:
    """What `msp-core[fast]` brings.

    Attributes:
        dumps: (value, default, options) -> JSON; raises a TypeError for what it does not take.
        for_rows: options for plain values.
        for_values: options for what is to be taken as the standard library does.
    """

    dumps: Callable[[Any, Callable[[Any], Any] | None, int], bytes]
    for_rows: int
    for_values: int


def json_bytes(values: Plain) -> bytes:
    """Return plain values as JSON of the form that BigQuery parses without loss.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate.
    """
    fast = _load_orjson()
    if fast is not None:
        try:
            found = fast.dumps(values, _scalar, fast.for_rows)
        except TypeError:  # a number of more than 53 bits, or a text that has no UTF-8
            pass
        else:
            return found
    return _dump(json_value(values)).encode()


def json_text(value: Any) -> str:  # noqa: ANN401 - what JSON has
    """Return any value as JSON.

    Raises:
        TypeError: it holds what JSON cannot express.
        ValueError: it holds itself, a number that is not finite, or a lone surrogate.
    """
    fast = _load_orjson()
    if fast is not None:
        try:
            found = fast.dumps(value, None, fast.for_values)
        except TypeError:  # not all that the standard library takes is taken here
            pass
        else:
            if b"null" not in found:  # which it writes for numbers that are not finite, too
                return found.decode()
    text = _dump(value)
    text.encode()  # a lone surrogate is no text
    return text


def json_value(value: Plain) -> Any:  # noqa: ANN401 - JSON has values of many types
    """Return a plain value as the few that the standard library writes as JSON."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, dict):
        return {name: json_value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json_value(element) for element in value]
    return _scalar(value)


def _scalar(value: Plain) -> Any:  # noqa: ANN401 - a number or a text
    if isinstance(value, int):
        return value if -_EXACT < value < _EXACT else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else special_float(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()


def special_float(value: float) -> str:
    """Return a float that JSON has no number for as BigQuery reads it."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _dump(value: Any) -> str:  # noqa: ANN401 - what JSON has
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_inner
    )


def _inner(value: object) -> Any:  # noqa: ANN401 - what JSON has
    """Return what the standard library writes for what orjson writes by itself."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError


@cache
def _load_orjson() -> _Orjson | None:
    try:
        orjson: Any = importlib.import_module("orjson")
    except ImportError:
        return None
    return _Orjson(
        orjson.dumps,
        for_rows=orjson.OPT_STRICT_INTEGER | orjson.OPT_UTC_Z,
        for_values=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME,
    )
