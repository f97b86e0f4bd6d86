"""Columns: how values get into the fields of a message, decided once for each schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from msp_bigquery._rows.plain import Plain
from msp_bigquery._storage.proto_values import CONVERSIONS, MESSAGE, Conversion, UnfitValueError

if TYPE_CHECKING:  # imported where rows are written
    from google.cloud.bigquery import SchemaField

_RECORDS = ("RECORD", "STRUCT")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What conversions raise; their texts may quote the value.
_UNFIT = (ArithmeticError, LookupError, TypeError, ValueError)

Convert = Callable[[Plain], Any]
"""(plain value) -> what its field takes; raises an UnfitValueError, or one of `_UNFIT`."""


@attrs.frozen
class Column:
    """One column, or one field of a record.

    Attributes:
        name: as in the schema.
        kind: BigQuery's type, as in the schema.
        repeated: whether it holds a list.
        columns: of a record; None for all else.
        conversion: of its values, or of those in its list.
    """

    name: str
    kind: str
    repeated: bool
    columns: Columns | None
    conversion: Conversion
    # Those of the conversion, but for lists.
    as_is: type | None = attrs.field(init=False)
    direct: Mapping[type, Callable[[Any], Any]] = attrs.field(init=False)
    convert: Convert = attrs.field(init=False)

    @as_is.default
    def _find_as_is(self) -> type | None:
        return None if self.repeated else self.conversion.as_is

    @direct.default
    def _find_direct(self) -> Mapping[type, Callable[[Any], Any]]:
        return {} if self.repeated else self.conversion.direct

    @convert.default
    def _find_convert(self) -> Convert:
        return _of_lists(self.conversion) if self.repeated else self.conversion.convert


class Columns:
    """The columns of a table or record, but for those that no field can stand for.

    Args:
        columns: in the order of the schema.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.all = tuple(columns)
        # BigQuery's names have no case; to find one as the schema has it costs the least.
        self._by_name = {one.name.lower(): one for one in columns}
        self._by_name |= {one.name: one for one in columns}

    @classmethod
    def of(cls, schema: Sequence[SchemaField]) -> Columns:
        """Return the columns of a schema."""
        return cls([column for field in schema if (column := _column(field))])

    def encode(
        self, values: Mapping[str, Any], make_plain: Callable[[Any], Plain] | None = None
    ) -> dict[str, Any]:
        """Return the fields of a message, those that are NULL left out.

        Args:
            values: by column.
            make_plain: makes values plain; None when they are.

        Raises:
            UnfitValueError: a value does not fit its column, or there is no such column.
        """
        fields, by_name = {}, self._by_name
        for name, value in values.items():
            column = by_name.get(name) or by_name.get(name.lower())
            if column is None:
                raise UnfitValueError("no such column", name)
            kind = type(value)
            try:
                if kind is column.as_is:  # most are
                    fields[column.name] = value
                elif kind in column.direct:
                    fields[column.name] = column.direct[kind](value)
                elif value is not None:
                    plain = make_plain(value) if make_plain else value
                    is_ready = type(plain) is column.as_is
                    fields[column.name] = plain if is_ready else column.convert(plain)
            except UnfitValueError as error:
                error.columns.append(name)
                raise
            except _UNFIT:
                raise UnfitValueError(f"expected {column.kind}", name) from None
        return fields

    def decode(self, message: Any) -> dict[str, Plain]:  # noqa: ANN401 - its type is made at run time
        """Return the plain values of a message, those that are NULL left out."""
        values: dict[str, Plain] = {}
        for column in self.all:
            field, restore = getattr(message, column.name), column.conversion.restore
            if column.repeated:
                values[column.name] = [restore(one) for one in field]
            elif message.HasField(column.name):
                values[column.name] = restore(field)
        return values


def _column(field: SchemaField) -> Column | None:
    kind = field.field_type.upper()
    columns = Columns.of(field.fields) if kind in _RECORDS else None
    conversion = _of_records(columns) if columns and columns.all else CONVERSIONS.get(kind)
    if conversion is None or not _NAME.fullmatch(field.name):
        return None
    return Column(field.name, kind, field.mode == "REPEATED", columns, conversion)


def _of_records(columns: Columns) -> Conversion:
    def convert(value: Plain) -> Any:  # noqa: ANN401 - of a message
        if not isinstance(value, dict):
            raise UnfitValueError("expected a record")
        return columns.encode(value)

    return Conversion(MESSAGE, convert, restore=columns.decode)


def _of_lists(conversion: Conversion) -> Convert:
    def convert(value: Plain) -> Any:  # noqa: ANN401 - of a repeated field
        if not isinstance(value, list):
            raise UnfitValueError("expected a list")
        as_is = conversion.as_is
        return [one if type(one) is as_is else conversion.convert(one) for one in value]

    return convert
