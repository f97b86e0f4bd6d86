"""Plain values as the Storage Write API takes them: one conversion for each type of BigQuery."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from msp_bigquery._rows.json import JSON
from msp_bigquery._rows.plain import Plain

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = _EPOCH.date().toordinal()
_MICROSECOND = dt.timedelta(microseconds=1)
# Of BigQuery, and of Python.
_FIRST = (dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND
_LAST = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND

# Numbers of the types in descriptor.proto, which is imported only when rows are written.
_DOUBLE, _INT64, _INT32, _BOOL, _STRING, MESSAGE, _BYTES = 1, 3, 5, 8, 9, 11, 12


class UnfitValueError(Exception):
    """A value that does not fit its column; says what was expected, and where, never the value.

    Attributes:
        wrong: what was expected, or is wrong.
        columns: names of the columns that lead to it, innermost first.
    """

    def __init__(self, wrong: str, *columns: str) -> None:
        self.wrong = wrong
        self.columns = list(columns)
        super().__init__(wrong)

    def __str__(self) -> str:
        """Return one clause."""
        return f"{self.wrong} (column {'.'.join(reversed(self.columns))!r})"


@attrs.frozen
class Conversion:
    """How values of one BigQuery type are encoded.

    Attributes:
        proto_type: number of the field's type in `descriptor.proto`.
        convert: plain value, neither None nor of the type `as_is` -> what the field takes; raises
            what Python raises.
        as_is: exact type of the values that need no conversion; None for none.
        direct: by exact type of a value, the same in one step, also of what is not plain yet.
        restore: what the field has -> the plain value.
    """

    proto_type: int
    convert: Callable[[Plain], Plain]
    as_is: type | None = None
    direct: Mapping[type, Callable[[Any], Any]] = attrs.field(factory=dict)
    restore: Callable[[Any], Plain] = lambda value: value


def _text(value: Plain) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bytes(value: Plain) -> bytes:
    return base64.b64decode(_text(value), validate=True)  # as streaming inserts take it


def _integer(value: Plain) -> int:
    if isinstance(value, (bool, bytes)) or (not isinstance(value, str) and value != int(value)):
        raise TypeError
    return int(value)


def _float(value: Plain) -> float:
    if isinstance(value, (bool, bytes)):
        raise TypeError
    return float(value)


def _boolean(value: Plain) -> bool:
    return {"true": True, "false": False}[_text(value).lower()]


def _decimal(value: Plain) -> str:
    if isinstance(value, (bool, bytes)):
        raise TypeError
    return _digits(value if isinstance(value, decimal.Decimal) else decimal.Decimal(_exact(value)))


def _digits(number: decimal.Decimal) -> str:
    if not number.is_finite():
        raise ValueError
    return str(number)


def _exact(value: Plain) -> Plain:
    """Return the digits that a float shows, not those of its binary form."""
    return repr(value) if isinstance(value, float) else value


def _timestamp(value: Plain) -> int:
    if isinstance(value, dt.datetime):
        aware = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
        microseconds = (aware - _EPOCH) // _MICROSECOND
        if not _FIRST <= microseconds <= _LAST:
            raise OverflowError
        return microseconds
    if isinstance(value, str):
        return _timestamp(dt.datetime.fromisoformat(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # seconds
        return _timestamp(_EPOCH + dt.timedelta(seconds=value))
    raise TypeError


def _restore_timestamp(value: int) -> dt.datetime:
    return _EPOCH + value * _MICROSECOND


def _datetime(value: Plain) -> str:
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, dt.datetime) or moment.tzinfo is not None:
        raise TypeError
    return moment.isoformat(sep=" ")


def _date(value: Plain) -> int:
    day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(day, dt.datetime) or not isinstance(day, dt.date):
        raise TypeError
    return day.toordinal() - _EPOCH_DAY


def _restore_date(value: int) -> dt.date:
    return dt.date.fromordinal(value + _EPOCH_DAY)


def _time(value: Plain) -> str:
    time = dt.time.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(time, dt.time) or time.tzinfo is not None:
        raise TypeError
    return time.isoformat()


_INTEGERS = Conversion(_INT64, _integer, int)
_FLOATS = Conversion(_DOUBLE, _float, float)
_BOOLEANS = Conversion(_BOOL, _boolean, bool)
_DECIMALS = Conversion(
    _STRING, _decimal, direct={decimal.Decimal: _digits}, restore=decimal.Decimal
)
_TEXTS = Conversion(_STRING, _text, str)

# By BigQuery's name of the type, synonyms included.
CONVERSIONS: dict[str, Conversion] = {
    "BIGNUMERIC": _DECIMALS,
    "BOOL": _BOOLEANS,
    "BOOLEAN": _BOOLEANS,
    "BYTES": Conversion(_BYTES, _bytes, bytes),
    "DATE": Conversion(_INT32, _date, restore=_restore_date),
    "DATETIME": Conversion(_STRING, _datetime, restore=dt.datetime.fromisoformat),
    "FLOAT": _FLOATS,
    "FLOAT64": _FLOATS,
    "GEOGRAPHY": _TEXTS,
    "INT64": _INTEGERS,
    "INTEGER": _INTEGERS,
    "INTERVAL": _TEXTS,
    "JSON": Conversion(_STRING, _text, str, {JSON: JSON.text}),
    "NUMERIC": _DECIMALS,
    "STRING": _TEXTS,
    "TIME": Conversion(_STRING, _time, restore=dt.time.fromisoformat),
    "TIMESTAMP": Conversion(
        _INT64, _timestamp, direct={dt.datetime: _timestamp}, restore=_restore_timestamp
    ),
}
