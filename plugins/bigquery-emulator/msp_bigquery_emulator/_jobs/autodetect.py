"""Autodetect: the schema that a load job guesses from its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msp_bigquery_emulator._errors import invalid
from msp_bigquery_emulator._store.fields import Field, parse_fields

_UNKNOWN: Final = ""  # of NULL
_TIME: Final = r"\d{1,2}:\d{2}:\d{2}(?:\.\d{1,9})?"
_TEXTS: Final = (
    ("INTEGER", re.compile(r"[+-]?\d{1,18}")),
    ("FLOAT", re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf|nan", re.IGNORECASE)),
    ("BOOLEAN", re.compile(r"true|false", re.IGNORECASE)),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("TIME", re.compile(_TIME)),
    ("DATETIME", re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_TIME}")),
    (
        "TIMESTAMP",
        re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_TIME} ?(?:Z|UTC|[+-]\d{{2}}:?\d{{2}})"),
    ),
)
_WIDER: Final = {
    frozenset(("INTEGER", "FLOAT")): "FLOAT",
    frozenset(("DATE", "DATETIME")): "DATETIME",
    frozenset(("DATETIME", "TIMESTAMP")): "TIMESTAMP",
    frozenset(("DATE", "TIMESTAMP")): "TIMESTAMP",
}


def text_kind(text: str | None) -> str:
    """Return the type that a text seems to have; empty for None."""
    if text is None:
        return _UNKNOWN
    found = (kind for kind, pattern in _TEXTS if pattern.fullmatch(text.strip()))
    return next(found, "STRING")


def column_kinds(rows: Iterable[Sequence[str | None]], width: int) -> list[str]:
    """Return the types that columns of texts seem to have; `STRING` for those that are empty."""
    kinds = [_UNKNOWN] * width
    for row in rows:
        for index, text in enumerate(row):
            kinds[index] = _join(kinds[index], text_kind(text))
    return [kind or "STRING" for kind in kinds]


def _join(one: str, other: str) -> str:
    if not one or not other or one == other:
        return one or other
    return _WIDER.get(frozenset((one, other)), "STRING")


def detect_fields(rows: Iterable[Any]) -> tuple[Field, ...]:
    """Return the fields that JSON objects seem to have, in the order in which they come.

    Raises:
        BigQueryError: there is nothing to guess from.
    """
    found: dict[str, Any] = {}
    for row in rows:
        if isinstance(row, Mapping):
            _add(found, row)
    resources = [one for name, member in found.items() if (one := _resource(name, member))]
    if not resources:
        raise invalid("Schema has no fields: there is no row to detect it from")
    return parse_fields(resources)


def _add(found: dict[str, Any], row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        member = found.setdefault(name, {"type": _UNKNOWN, "repeated": False, "fields": {}})
        values = value if isinstance(value, list) else [value]
        member["repeated"] |= isinstance(value, list)
        for one in values:
            if isinstance(one, Mapping):
                _add(member["fields"], one)
            member["type"] = _join(member["type"], _json_kind(one))


def _json_kind(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return text_kind(value)
    kinds = {bool: "BOOLEAN", int: "INTEGER", float: "FLOAT", dict: "RECORD"}
    return kinds.get(type(value), _UNKNOWN)


def _resource(name: str, member: Mapping[str, Any]) -> dict[str, Any] | None:
    fields = [one for key, value in member["fields"].items() if (one := _resource(key, value))]
    if member["type"] == "RECORD" and not fields:
        return None
    mode = "REPEATED" if member["repeated"] else "NULLABLE"
    kind = member["type"] or "STRING"
    return {"name": name, "type": kind, "mode": mode, "fields": fields if kind == "RECORD" else []}
