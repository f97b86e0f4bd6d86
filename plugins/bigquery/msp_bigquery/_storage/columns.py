"""Columns: how values get into the fields of a message, decided once for each schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from msp_bigquery._rows.plain import Plain
from msp_bigquery._storage.proto_values import CONVERSIONS, Conversion, UnfitValueError

if TYPE_CHECKING:  # imported where rows are written
    from google.cloud.bigquery import SchemaField

_RECORDS = ("RECORD", "STRUCT")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Encode = Callable[[Plain, str], Any]
"""(plain value, path of its column) -> what its field takes; raises an UnfitValueError."""

_UNFIT = (ArithmeticError, LookupError, TypeError, ValueError)


@attrs.frozen
class Column:
    """One column, or one field of a record.

    Attributes:
        name: as in the schema.
        repeated: whether it holds a list.
        proto_type: number of the field's type in `descriptor.proto`; None for records.
        columns: of a record; None for all else.
        as_is: exact type of the values that its field takes as they are; None for none.
        encode: does what the others need.
        decode: what `encode` gave, one of a list -> the plain value.
    """

    name: str
    repeated: bool
    proto_type: int | None
    columns: Columns | None
    as_is: type | None
    encode: Encode
    decode: Callable[[Any], Plain]


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
        self,
        values: Mapping[str, Any],
        prefix: str = "",
        make_plain: Callable[[Any], Plain] | None = None,
    ) -> dict[str, Any]:
        """Return the fields of a message, those that are NULL left out.

        Args:
            values: by column.
            prefix: of the columns' paths.
            make_plain: makes values plain; None when they are.

        Raises:
            UnfitValueError: a value does not fit its column, or there is no such column.
        """
        fields, by_name = {}, self._by_name
        for name, value in values.items():
            column = by_name.get(name) or by_name.get(name.lower())
            if column is None:
                raise UnfitValueError(f"no such column (column {prefix + name!r})")
            if type(value) is column.as_is:
                fields[column.name] = value
            elif value is not None:
                plain = make_plain(value) if make_plain else value
                fields[column.name] = column.encode(plain, prefix + name)
        return fields

    def decode(self, message: Any) -> dict[str, Plain]:  # noqa: ANN401 - its type is made at run time
        """Return the plain values of a message, those that are NULL left out."""
        values: dict[str, Plain] = {}
        for column in self.all:
            field = getattr(message, column.name)
            if column.repeated:
                values[column.name] = [column.decode(one) for one in field]
            elif message.HasField(column.name):
                values[column.name] = column.decode(field)
        return values


def _column(field: SchemaField) -> Column | None:
    kind, repeated = field.field_type.upper(), field.mode == "REPEATED"
    columns = Columns.of(field.fields) if kind in _RECORDS else None
    conversion = CONVERSIONS.get(kind)
    if columns is not None and columns.all:
        encode, proto_type, as_is = _encode_record(columns), None, None
        decode: Callable[[Any], Plain] = columns.decode
    elif conversion is not None:
        encode, proto_type = _encode_scalar(kind, conversion), conversion.proto_type
        as_is, decode = conversion.as_is, conversion.restore
    else:
        return None
    if not _NAME.fullmatch(field.name):
        return None
    if repeated:
        encode, as_is = _encode_list(encode), None
    return Column(field.name, repeated, proto_type, columns, as_is, encode, decode)


def _encode_record(columns: Columns) -> Encode:
    def encode(value: Plain, path: str) -> Any:  # noqa: ANN401 - of a message
        if not isinstance(value, dict):
            raise UnfitValueError(f"expected a record (column {path!r})")
        return columns.encode(value, f"{path}.")

    return encode


def _encode_scalar(kind: str, conversion: Conversion) -> Encode:
    def encode(value: Plain, path: str) -> Any:  # noqa: ANN401 - what its proto field takes
        if type(value) is conversion.as_is:
            return value
        try:
            return conversion.convert(value)
        except (
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
        ):  # their texts may quote the value
            raise UnfitValueError(f"expected {kind} (column {path!r})") from None

    return encode


def _encode_list(encode_one: Encode) -> Encode:
    def encode(value: Plain, path: str) -> Any:  # noqa: ANN401 - same
        if not isinstance(value, list):
            raise UnfitValueError(f"expected a list (column {path!r})")
        return [encode_one(element, path) for element in value]

    return encode
