"""Texts to values, exactly as Go's `strconv` and `time.ParseDuration` read them.

One `service.yaml` must mean the same to a Go and to a Python service, so these accept and refuse
what Go's parsers do. Every function raises a `ValueError` that does not hold the text.
"""

from __future__ import annotations

import math
import re

INT64_MAX = (1 << 63) - 1

_BOOLEANS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "FALSE", "false", "False"), False
)
_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,19})")
# Underscores stand between digits, as in Go's own literals; the hexadecimal prefix is such a digit.
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
)
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX](?:(?:_?[0-9a-fA-F])+(?:\.(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?"
    r"|\.[0-9a-fA-F](?:_?[0-9a-fA-F])*)[pP][+-]?[0-9](?:_?[0-9])*"
)
_INFINITY = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII)

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION_PART = re.compile(r"(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?([^0-9.]+)")


def parse_bool(text: str) -> bool:
    """Return what `strconv.ParseBool` returns."""
    if text not in _BOOLEANS:
        raise ValueError("not a boolean")
    return _BOOLEANS[text]


def parse_int(text: str) -> int:
    """Return what `strconv.ParseInt(text, 10, 64)` returns."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise ValueError("not an integer of 64 bits")
    value = int(match[1] + match[2])
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise ValueError("not an integer of 64 bits")
    return value


def parse_float(text: str) -> float:
    """Return what `strconv.ParseFloat(text, 64)` returns; digits beyond its range are refused."""
    if _INFINITY.fullmatch(text) or text.lower() == "nan":
        return float(text)
    value = _finite(text)
    if math.isinf(value):
        raise ValueError("not a number of 64 bits")
    return value


def _finite(text: str) -> float:
    if _DECIMAL.fullmatch(text):
        return float(text.replace("_", ""))
    if not _HEXADECIMAL.fullmatch(text):
        raise ValueError("not a number")
    try:
        return float.fromhex(text.replace("_", ""))
    except OverflowError:
        return math.inf


def parse_duration(text: str) -> float:
    """Return the seconds of what `time.ParseDuration` returns, negative ones included."""
    negative = text.startswith("-")
    digits = text[1:] if text.startswith(("+", "-")) else text
    total = 0 if digits == "0" else _nanoseconds(digits)
    # Go counts in 64 bits, whose negative side reaches one further.
    if total > INT64_MAX + negative:
        raise ValueError("not a duration of 64 bits of nanoseconds")
    return (-total if negative else total) / 1e9


def _nanoseconds(digits: str) -> int:
    total = 0
    position = 0
    while position < len(digits) or not position:
        part = _DURATION_PART.match(digits, position)
        if part is None or part[3] not in _NANOSECONDS:
            raise ValueError("not a duration")
        total += _part(part[1], part[2] or "", _NANOSECONDS[part[3]])
        if total > INT64_MAX + 1:
            raise ValueError("not a duration of 64 bits of nanoseconds")
        position = part.end()
    return total


def _part(whole: str, fraction: str, unit: int) -> int:
    significant = whole.lstrip("0") or "0"
    if len(significant) > len(str(INT64_MAX)):
        raise ValueError("not a duration of 64 bits of nanoseconds")
    return int(significant) * unit + _fraction(fraction, unit)


def _fraction(digits: str, unit: int) -> int:
    # Go keeps the leading digits that fit into 63 bits and scales them with a float; anything more
    # exact would differ in the last nanosecond.
    kept = 0
    scale = 1.0
    for digit in digits:
        extended = kept * 10 + int(digit)
        if kept > INT64_MAX // 10 or extended > INT64_MAX + 1:
            break
        kept = extended
        scale *= 10
    return int(float(kept) * (unit / scale))
