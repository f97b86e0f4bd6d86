"""Python's values as the few that both ways into BigQuery know; no schema is needed.

What a value becomes depends on its own type, not on the annotation of its field. The fields of an
attrs class are read by a function that cattrs writes for it, much faster than a loop over them; it
is imported when the first writer is made, or the first row.
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
from msp_bigquery._rows.json_text import json_text
from msp_bigquery._rows.plain import Plain
from msp_bigquery.errors import RowValueError

# What is wrong with a text that has no UTF-8.
SURROGATE = "holds a lone surrogate, which no text has"

Hook = Callable[[Any], Plain]
"""(value) -> the same, plain; raises an UnfitError."""

Reader = Callable[[Any], dict[str, Any]]
"""(row) -> a new dict of its columns as they are."""

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


class RefusalError(Exception):
    """A row that is refused alone: its types are right, one of its values fits no column."""


class UnfitError(Exception):
    """A value for which BigQuery has no type.

    Attributes:
        wrong: what is said about it, never the value: `is a set, …`.
        is_refused: whether its type is right, and only this row is to be refused.
        columns: names of the columns that lead to it, innermost first.
    """

    def __init__(self, wrong: str, *, is_refused: bool = False) -> None:
        self.wrong = wrong
        self.is_refused = is_refused
        self.columns: list[str] = []
        super().__init__(wrong)


class RowConverter:
    """Makes rows plain; may be used from any thread.

    Args:
        special: by exact type, hooks for plain values that one way into BigQuery wants otherwise.
    """

    def __init__(self, special: Mapping[type, Hook] | None = None) -> None:
        self._special: Mapping[type, Hook] = {dt.datetime: _moment, **(special or {})}
        self._as_is = frozenset(_PLAIN) - self._special.keys()
        self._hooks: dict[type, Hook] = {}
        self._readers: dict[type, Reader] = {}

    def convert(self, row: object) -> dict[str, Plain]:
        """Return a row's columns: of an attrs instance its fields, of a mapping its items.

        Raises:
            RowValueError: it is neither, or holds what BigQuery has no type for.
            RefusalError: it holds what no column could hold.
        """
        values = self.read(row)
        try:
            return self._columns(values)
        except UnfitError as error:
            column = ".".join(reversed(error.columns))
            wrong = f"column {column!r} {error.wrong}"
            if error.is_refused:
                raise RefusalError(wrong) from None
            raise RowValueError(wrong) from None

    def read(self, row: object) -> dict[str, Any]:
        """Return a row's columns as they are.

        Raises:
            RowValueError: it is neither an attrs instance nor a mapping.
        """
        kind = type(row)
        return (self._readers.get(kind) or self._find_reader(kind))(row)

    def convert_value(self, value: Any) -> Plain:  # noqa: ANN401 - anything
        """Return the value of a column, plain.

        Raises:
            UnfitError: BigQuery has no type for it.
        """
        kind: Any = type(value)
        return value if kind in self._as_is else self._hook(kind)(value)

    def _find_reader(self, kind: Any) -> Reader:  # noqa: ANN401 - a type, of whatever kind
        if issubclass(kind, JSON) or not (issubclass(kind, Mapping) or attrs.has(kind)):
            raise RowValueError(
                f"a row is a {kind.__name__}: expected an attrs instance or a mapping"
            )
        reader = _read_mapping if issubclass(kind, Mapping) else _write_reader(kind)
        return self._readers.setdefault(kind, reader)

    def _hook(self, kind: Any) -> Hook:  # noqa: ANN401 - same
        """Return what makes values of a type plain."""
        return self._hooks.get(kind) or self._hooks.setdefault(kind, self._find_hook(kind))

    def _find_hook(self, kind: Any) -> Hook:  # noqa: ANN401 - same
        if issubclass(kind, JSON):
            return _json
        if issubclass(kind, Mapping) or attrs.has(kind):
            return lambda value: self._columns(self.read(value))
        if issubclass(kind, (list, tuple)):
            return lambda value: [self.convert_value(element) for element in value]
        if issubclass(kind, enum.Enum):
            return lambda member: self.convert_value(member.value)
        return _find_scalar_hook(kind, self._special)

    def _columns(self, values: dict[str, Any]) -> dict[str, Plain]:
        """Make the values plain, in place; most are."""
        as_is, hooks = self._as_is, self._hooks
        for column, value in values.items():
            kind: Any = type(value)
            if kind not in as_is:
                try:
                    values[column] = (hooks.get(kind) or self._hook(kind))(value)
                except UnfitError as error:
                    error.columns.append(column)
                    raise
        return values


@functools.cache
def load_converter() -> Any:  # noqa: ANN401 - cattrs is not imported before
    """Import cattrs; return a converter of it."""
    from cattrs import Converter  # noqa: PLC0415 - only where rows are written

    return Converter()


def _read_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value[name] for name in value}


def _write_reader(kind: Any) -> Reader:  # noqa: ANN401 - a type
    """Return what reads the fields of an attrs class."""
    converter = load_converter()
    from cattrs.fns import identity  # noqa: PLC0415 - imported with the converter
    from cattrs.gen import (  # noqa: PLC0415 - same
        make_dict_unstructure_fn_from_attrs,
        override,
    )

    def as_it_is(field: attrs.Attribute[Any]) -> attrs.Attribute[Any]:
        # In the type and not by keyword: a field may be called as one of cattrs' parameters.
        column = override(rename=field.alias or field.name, unstruct_hook=identity)
        return field.evolve(type=Annotated[Any, column])

    reader: Reader = make_dict_unstructure_fn_from_attrs(
        [as_it_is(field) for field in attrs.fields(kind)],
        kind,
        converter,
        _cattrs_use_linecache=False,
        _cattrs_include_init_false=True,
    )
    return reader


def _find_scalar_hook(kind: Any, special: Mapping[type, Hook]) -> Hook:  # noqa: ANN401 - a type
    for base, hook in special.items():
        if issubclass(kind, base):
            return hook
    if issubclass(kind, uuid.UUID):
        return str
    if issubclass(kind, str):
        return str.__str__
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return _bytes
    if issubclass(kind, _PLAIN):  # a subclass, which behaves as what it is derived from
        return lambda value: value

    def refuse(_: object) -> Never:
        raise UnfitError(
            f"is a {kind.__name__}, for which BigQuery has no type: "
            "convert it first, or wrap it in JSON(…)"
        )

    return refuse


def _bytes(value: bytes | bytearray | memoryview) -> bytes:
    return bytes(memoryview(value))


def _json(value: JSON) -> str:
    try:
        return json_text(value.value)
    except UnicodeEncodeError:
        raise UnfitError(SURROGATE, is_refused=True) from None
    except (TypeError, ValueError):  # their texts may quote what is in it
        raise UnfitError("holds what JSON cannot express") from None


def _moment(value: dt.datetime) -> dt.datetime:
    """Return a moment in UTC; one without a time zone as it is."""
    if value.tzinfo is None or value.tzinfo is dt.UTC:
        return value
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise UnfitError("is outside of the years 1 to 9999 in UTC", is_refused=True) from None
