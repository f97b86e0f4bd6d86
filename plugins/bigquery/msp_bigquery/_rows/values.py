"""Python's values as the few that both ways into BigQuery know; no schema is needed.

What a value becomes depends on its own type, not on the annotation of its field. For attrs classes
cattrs writes one function each, which makes rows more than twice as fast as a loop over the fields;
it is imported when the first writer is made, or the first row.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import functools
import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Never

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


class UnfitError(Exception):
    """A value for which BigQuery has no type.

    Attributes:
        wrong: what is said about it, never the value: `is a set, …`.
        columns: names of the columns that lead to it, innermost first.
    """

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
        self.columns: list[str] = []
        super().__init__(wrong)


def plain_row(row: object) -> dict[str, Plain]:
    """Return a row's columns: of an attrs instance its fields, of a mapping its items.

    Raises:
        RowValueError: it is neither, or holds what BigQuery has no type for.
    """
    kind: Any = type(row)
    if issubclass(kind, JSON) or not (issubclass(kind, Mapping) or attrs.has(kind)):
        raise RowValueError(f"a row is a {kind.__name__}: expected an attrs instance or a mapping")
    try:
        found: dict[str, Plain] = hook_of(kind)(row)
    except UnfitError as error:
        column = ".".join(reversed(error.columns))
        raise RowValueError(f"column {column!r} {error.wrong}") from None
    return found


@functools.cache
def hook_of(kind: Any) -> Callable[[Any], Plain]:  # noqa: ANN401 - a type, of whatever kind
    """Return what makes values of a type plain; it raises an UnfitError."""
    if issubclass(kind, JSON):
        return _json
    if issubclass(kind, Mapping):
        return _mapping
    if attrs.has(kind):
        return _write_function(kind)
    if issubclass(kind, (list, tuple)):
        return _list
    return _scalar_hook(kind)


@functools.cache
def load_converter() -> Any:  # noqa: ANN401 - cattrs is not imported before
    """Import cattrs; return a converter of it."""
    from cattrs import Converter  # noqa: PLC0415 - only where rows are written

    return Converter()


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


def _write_function(kind: Any) -> Callable[[Any], Plain]:  # noqa: ANN401 - as hook_of
    converter = load_converter()
    from cattrs.gen import make_dict_unstructure_fn_from_attrs, override  # noqa: PLC0415 - same

    def with_hook(field: attrs.Attribute[Any]) -> attrs.Attribute[Any]:
        column = field.alias or field.name
        # In the type and not by keyword: a field may be called as one of cattrs' own parameters.
        hook = override(rename=column, unstruct_hook=_column_hook(column))
        return field.evolve(type=Annotated[Any, hook])

    function: Callable[[Any], Plain] = make_dict_unstructure_fn_from_attrs(
        [with_hook(field) for field in attrs.fields(kind)],
        kind,
        converter,
        _cattrs_use_linecache=False,
        _cattrs_include_init_false=True,
    )
    return function


def _column_hook(column: str) -> Callable[[Any], Plain]:
    def convert(value: Any) -> Plain:  # noqa: ANN401 - anything
        kind: Any = type(value)
        if kind in _PLAIN_SET:  # most are: asking no further is what makes it fast
            return value
        try:
            return hook_of(kind)(value)
        except UnfitError as error:
            error.columns.append(column)
            raise

    return convert


def _mapping(value: Mapping[Any, Any]) -> dict[str, Plain]:
    found = {}
    for name, inner in value.items():
        try:
            found[str(name)] = _element(inner)
        except UnfitError as error:
            error.columns.append(str(name))
            raise
    return found


def _list(value: list[Any] | tuple[Any, ...]) -> list[Plain]:
    return [_element(element) for element in value]


def _element(value: Any) -> Plain:  # noqa: ANN401 - anything
    kind: Any = type(value)
    return value if kind in _PLAIN_SET else hook_of(kind)(value)


def _json(value: JSON) -> str:
    try:
        return value.text()
    except (TypeError, ValueError):  # their texts may quote what is in it
        raise UnfitError("holds what JSON cannot express") from None


def _scalar_hook(kind: Any) -> Callable[[Any], Plain]:  # noqa: ANN401 - as hook_of
    if issubclass(kind, enum.Enum):
        return lambda member: _element(member.value)
    if issubclass(kind, uuid.UUID):
        return str
    if issubclass(kind, (bytearray, memoryview)):
        return bytes
    if issubclass(kind, _PLAIN):  # a subclass, which behaves as what it is derived from
        return lambda value: value

    def refuse(_: object) -> Never:
        raise UnfitError(
            f"is a {kind.__name__}, for which BigQuery has no type: "
            "convert it first, or wrap it in JSON(…)"
        )

    return refuse
