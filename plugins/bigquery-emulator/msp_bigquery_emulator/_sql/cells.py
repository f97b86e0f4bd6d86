"""Values on their way out: what DuckDB gives as the cells that REST's clients read."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any, Final, TypeAlias

from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.values import micros

Encode: TypeAlias = Callable[[Any], Any]


def encode_rows(
    fields: tuple[Field, ...], rows: Iterable[Sequence[Any]], *, int_timestamps: bool
) -> list[dict[str, Any]]:
    """Return rows as REST writes them: `{"f": [{"v": …}, …]}`.

    Args:
        fields: of the rows.
        rows: as DuckDB gave them.
        int_timestamps: microseconds instead of seconds; what Google's client asks for.
    """
    encoders = _encoders(fields, int_timestamps=int_timestamps)
    return [
        {"f": [{"v": encode(value)} for encode, value in zip(encoders, row, strict=True)]}
        for row in rows
    ]


@lru_cache(maxsize=256)
def _encoders(fields: tuple[Field, ...], *, int_timestamps: bool) -> tuple[Encode, ...]:
    return tuple(_encoder(field, int_timestamps=int_timestamps) for field in fields)


def _encoder(field: Field, *, int_timestamps: bool) -> Encode:
    if field.repeated:
        element = _encoder(field.element, int_timestamps=int_timestamps)
        return lambda values: [{"v": element(value)} for value in values or ()]
    if field.type == "RECORD":
        members = _encoders(field.fields, int_timestamps=int_timestamps)
        encode = _record(members)
    elif field.type == "TIMESTAMP" and not int_timestamps:
        encode = _seconds
    else:
        encode = _SCALARS[field.type]
    return lambda value: None if value is None else encode(value)


def _record(members: tuple[Encode, ...]) -> Encode:
    def encode(value: Mapping[str, Any]) -> dict[str, Any]:
        values = value.values()  # in the order of the declaration, whatever the names' case
        return {"f": [{"v": one(v)} for one, v in zip(members, values, strict=True)]}

    return encode


def _seconds(value: Any) -> str:  # noqa: ANN401 - a datetime
    return repr(micros(value.astimezone(UTC)) / 1_000_000)


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _decimal(value: Any) -> str:  # noqa: ANN401 - a Decimal, or an int that a sum made
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_SCALARS: Final[Mapping[str, Encode]] = {
    "STRING": str,
    "BYTES": lambda value: base64.b64encode(value).decode(),
    "INTEGER": str,
    "FLOAT": _float,
    "NUMERIC": _decimal,
    "BIGNUMERIC": _decimal,
    "BOOLEAN": lambda value: "true" if value else "false",
    "TIMESTAMP": lambda value: str(micros(value)),
    "DATE": lambda value: value.isoformat(),
    "TIME": lambda value: value.isoformat(),
    "DATETIME": lambda value: value.isoformat(),
    "JSON": str,
}
