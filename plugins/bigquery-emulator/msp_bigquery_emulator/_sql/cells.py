"""Values on their way out: what DuckDB gives as the cells that REST's clients read."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias

from msp_bigquery_emulator._errors import invalid, invalid_query
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.values import micros

Encode: TypeAlias = Callable[[Any], Any]


def encode_rows(
    fields: tuple[Field, ...],
    rows: Iterable[Sequence[Any]],
    *,
    int_timestamps: bool,
    timestamps: str = "",
) -> list[dict[str, Any]]:
    """Return rows as REST writes them: `{"f": [{"v": …}, …]}`.

    Args:
        fields: of the rows.
        rows: as DuckDB gave them.
        int_timestamps: microseconds instead of seconds; what Google's client asks for.
        timestamps: REST's `timestampOutputFormat`: `FLOAT64`, `INT64`, `ISO8601_STRING`; empty
            for what `int_timestamps` says.

    Raises:
        BigQueryError: there is no such format, or both say different things.
    """
    if timestamps not in ("", "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED", *_TIMESTAMPS):
        raise invalid(f"Invalid value of timestampOutputFormat: {timestamps[:50]!r}")
    if timestamps not in _TIMESTAMPS:
        timestamps = "INT64" if int_timestamps else "FLOAT64"
    elif int_timestamps and timestamps != "INT64":
        raise invalid("useInt64Timestamp and timestampOutputFormat contradict each other")
    encoders = _encoders(fields, timestamps)
    return [
        {"f": [{"v": encode(value)} for encode, value in zip(encoders, row, strict=True)]}
        for row in rows
    ]


@lru_cache(maxsize=256)
def _encoders(fields: tuple[Field, ...], timestamps: str) -> tuple[Encode, ...]:
    return tuple(_encoder(field, timestamps) for field in fields)


def _encoder(field: Field, timestamps: str) -> Encode:
    if field.repeated:
        element = _encoder(field.element, timestamps)
        return lambda values: [{"v": element(value)} for value in values or ()]
    if field.type == "RECORD":
        encode = _record(_encoders(field.fields, timestamps))
    elif field.type == "TIMESTAMP":
        encode = _TIMESTAMPS[timestamps]
    else:
        encode = _SCALARS[field.type]
    return lambda value: None if value is None else encode(value)


def _record(members: tuple[Encode, ...]) -> Encode:
    def encode(value: Mapping[str, Any]) -> dict[str, Any]:
        values = value.values()  # in the order of the declaration, whatever the names' case
        return {"f": [{"v": one(v)} for one, v in zip(members, values, strict=True)]}

    return encode


def _seconds(value: Any) -> str:  # noqa: ANN401 - a datetime
    return repr(micros(_moment(value)) / 1_000_000)


def _moment(value: Any) -> datetime:  # noqa: ANN401 - what DuckDB gives for a timestamp
    if not isinstance(value, datetime):  # text, of years that Python does not have either
        raise invalid_query("Timestamp is out of range: expected years 1 to 9999")
    return value.astimezone(UTC)


def _iso(value: Any) -> str:  # noqa: ANN401 - as above
    return f"{_moment(value).replace(tzinfo=None).isoformat()}Z"


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _decimal(value: Any) -> str:  # noqa: ANN401 - a Decimal, or an int that a sum made
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_TIMESTAMPS: Final[Mapping[str, Encode]] = {
    "FLOAT64": _seconds,
    "INT64": lambda value: str(micros(_moment(value))),
    "ISO8601_STRING": _iso,
}
_SCALARS: Final[Mapping[str, Encode]] = {
    "STRING": str,
    "BYTES": lambda value: base64.b64encode(value).decode(),
    "INTEGER": str,
    "FLOAT": _float,
    "NUMERIC": _decimal,
    "BIGNUMERIC": _decimal,
    "BOOLEAN": lambda value: "true" if value else "false",
    "DATE": lambda value: value.isoformat(),
    "TIME": lambda value: value.isoformat(),
    "DATETIME": lambda value: value.isoformat(),
    "JSON": str,
}
