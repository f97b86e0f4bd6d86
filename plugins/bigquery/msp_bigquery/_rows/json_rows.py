"""Plain values as JSON, the way streaming inserts take them."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
from typing import Any

from msp_bigquery._rows.values import Plain

_EXACT = 2**53  # beyond it, who reads JSON numbers as floats loses digits


def json_value(value: Plain) -> Any:  # noqa: ANN401 - JSON has values of many types
    """Return a plain value as JSON of the form that BigQuery parses without loss."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, dict):
        return {name: json_value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json_value(element) for element in value]
    return _scalar(value)


def _scalar(value: Plain) -> Any:  # noqa: ANN401 - a number or a text
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _special(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
