"""Values on their way in: REST's JSON checked, and put into the form that `storage` reads."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeAlias

import attrs

from msp_bigquery_emulator._store.fields import Field

Decode: TypeAlias = Callable[[Any], Any]

_INT64: Final = range(-(2**63), 2**63)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMALS: Final = Context(prec=76, rounding=ROUND_HALF_UP)
_BOOLEANS: Final = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}
_FLOATS: Final = {"nan": "NaN", "inf": "Infinity", "+inf": "Infinity", "-inf": "-Infinity"}


class ValueRefusedError(ValueError):
    """A value that its field does not take.

    Attributes:
        location: path of the field, such as `author.age`; grows on the way up.
        reason: the sentence that BigQuery would give.
    """

    def __init__(self, reason: str, location: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.location = location

    def seen_from(self, name: str) -> ValueRefusedError:
        """Return this error as seen from the record around it."""
        return ValueRefusedError(self.reason, f"{name}.{self.location}".removesuffix("."))


@attrs.frozen
class Leniency:
    """What a request lets pass.

    Attributes:
        ignore_unknown: members that the schema does not have are dropped.
        json_as_is: a JSON column takes any JSON, as load jobs do, not JSON in a string.
    """

    ignore_unknown: bool = False
    json_as_is: bool = False


@lru_cache(maxsize=256)
def row_decoder(fields: tuple[Field, ...], leniency: Leniency) -> Decode:
    """Return the function that checks a row and gives what is stored.

    The function raises `ValueRefusedError`.
    """
    return _record(fields, leniency)


@lru_cache(maxsize=256)
def value_decoder(field: Field) -> Decode:
    """Return the function that checks one value, such as a query's parameter; it may be None."""
    decode = _decoder(field, Leniency())
    empty: list[Any] | None = [] if field.repeated else None
    return lambda value: empty if value is None else decode(value)


def _decoder(field: Field, leniency: Leniency) -> Decode:
    """Return the function that checks a value that is not None."""
    if field.repeated:
        return _decoder_of_all(_decoder(field.element, leniency))
    if field.type == "RECORD":
        return _record(field.fields, leniency)
    if field.type == "JSON" and leniency.json_as_is:
        return json.dumps
    if field.length is not None:
        return _make_length_check(field, field.length)
    if field.digits is not None:
        return _decimal(field.digits[0] - field.digits[1], field.digits[1])
    return _SCALARS[field.type]


def _make_length_check(field: Field, most: int) -> Decode:
    decode = _SCALARS[field.type]
    # Bytes are in base64: what they decode to counts.
    measure = (lambda text: len(base64.b64decode(text))) if field.type == "BYTES" else len

    def decode_short(value: Any) -> str:  # noqa: ANN401 - JSON
        text: str = decode(value)
        if measure(text) > most:
            raise ValueRefusedError(
                f"{field.type}({most}) has maximum length {most} but got a value with length "
                f"{measure(text)}."
            )
        return text

    return decode_short


def _decoder_of_all(decode: Decode) -> Decode:
    def decode_all(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        if not isinstance(value, list):
            raise ValueRefusedError("This field is repeated: expected an array.")
        if None in value:
            raise ValueRefusedError("Only non-null values are allowed in an array.")
        return [decode(element) for element in value]

    return decode_all


def _record(fields: tuple[Field, ...], leniency: Leniency) -> Decode:
    decoders = {field.name: _decoder(field, leniency) for field in fields}
    names = {field.name.lower(): field.name for field in fields}
    required = [field.name for field in fields if field.mode == "REQUIRED"]
    # A column with a default is left out where a row has none: DuckDB stores the default then.
    empty: dict[str, Any] = {
        field.name: [] if field.repeated else None for field in fields if not field.default
    }
    defaults = {field.name for field in fields if field.default}

    def decode(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        if not isinstance(value, Mapping):
            raise ValueRefusedError("This field is a record: expected an object.")
        row = empty.copy()
        for given, member in value.items():
            name = given if given in decoders else names.get(given.lower(), "")
            if not name:
                if not leniency.ignore_unknown:
                    raise ValueRefusedError(f"no such field: {given}.", given)
            elif member is None:
                row[name] = row.get(name)
            else:
                try:
                    row[name] = decoders[name](member)
                except ValueRefusedError as refused:
                    raise refused.seen_from(name) from None
        for name in required:
            if row.get(name) is None and (name in row or name not in defaults):
                raise ValueRefusedError(f"Missing required field: {name}.", name)
        return row

    return decode


def _string(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        if not value.isascii():
            _require_unicode(value)
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _not("string", value)


def _require_unicode(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise _not("string", value) from None


def _bytes(value: Any) -> str:  # noqa: ANN401 - JSON
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, TypeError, ValueError):
        raise ValueRefusedError("Could not decode base64 string to bytes.") from None


def _integer(value: Any) -> int:  # noqa: ANN401 - JSON
    try:
        number = int(value)
        if isinstance(value, bool) or number != (number if isinstance(value, str) else value):
            raise _not("integer", value)
    except (TypeError, ValueError, OverflowError):
        raise _not("integer", value) from None
    if number not in _INT64:
        raise _not("integer", value)
    return number


def _float(value: Any) -> float | str:  # noqa: ANN401 - JSON
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _not("double", value) from None
    if isinstance(value, bool):
        raise _not("double", value)
    return number if math.isfinite(number) else _FLOATS[str(number)]  # JSON has no others


def _decimal(integer_digits: int, scale: int) -> Decode:
    smallest = Decimal(1).scaleb(-scale)
    too_large = Decimal(1).scaleb(integer_digits)

    def decode(value: Any) -> str:  # noqa: ANN401 - JSON
        try:
            number = Decimal(str(value)).quantize(smallest, context=_DECIMALS)
        except InvalidOperation:
            raise _not("numeric", value) from None
        if isinstance(value, bool) or not number.is_finite() or number.copy_abs() >= too_large:
            raise _not("numeric", value)
        return f"{number:f}"

    return decode


def _boolean(value: Any) -> bool:  # noqa: ANN401 - JSON
    known = _BOOLEANS.get(str(value).lower())
    if known is None:
        raise _not("boolean", value)
    return known


def micros(moment: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _timestamp(value: Any) -> int:  # noqa: ANN401 - JSON
    try:
        return micros(_moment(value))
    except (ArithmeticError, TypeError, ValueError):
        raise ValueRefusedError(f"Could not parse {_show(value)} as a timestamp.") from None


def _moment(value: Any) -> datetime:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.removesuffix("UTC").strip())
        except ValueError:
            pass
        else:
            return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    elif isinstance(value, bool):
        raise TypeError
    seconds = Decimal(str(value))  # since 1970; float would round microseconds
    return _EPOCH + timedelta(microseconds=int((seconds * 1_000_000).to_integral_value()))


def _json(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping | list):
        raise ValueRefusedError("This field is not a record: expected JSON in a string.")
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise ValueRefusedError(f"Failed to parse JSON: {_show(value)}.") from None
    if not text.isascii():
        _require_unicode(text)
    return text


def _iso(parse: Callable[[str], date | time | datetime], kind: str) -> Decode:
    def decode(value: Any) -> str:  # noqa: ANN401 - JSON
        try:
            parsed = parse(value)
        except (TypeError, ValueError):
            raise ValueRefusedError(f"Could not parse {_show(value)} as {kind}.") from None
        if getattr(parsed, "tzinfo", None) is not None:
            raise ValueRefusedError(f"Could not parse {_show(value)} as {kind}: it has a zone.")
        return parsed.isoformat()

    return decode


def _not(kind: str, value: Any) -> ValueRefusedError:  # noqa: ANN401 - JSON
    return ValueRefusedError(f"Cannot convert value to {kind} (bad value): {_show(value)}.")


def _show(value: Any) -> str:  # noqa: ANN401 - JSON
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("ascii", "backslashreplace").decode()[:100]


_SCALARS: Final[Mapping[str, Decode]] = {
    "STRING": _string,
    "BYTES": _bytes,
    "INTEGER": _integer,
    "FLOAT": _float,
    "NUMERIC": _decimal(29, 9),
    "BIGNUMERIC": _decimal(20, 18),
    "BOOLEAN": _boolean,
    "TIMESTAMP": _timestamp,
    "DATE": _iso(date.fromisoformat, "DATE"),
    "TIME": _iso(time.fromisoformat, "TIME"),
    "DATETIME": _iso(datetime.fromisoformat, "DATETIME"),
    "JSON": _json,
}
