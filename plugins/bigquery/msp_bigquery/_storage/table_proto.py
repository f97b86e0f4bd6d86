"""TableProto: rows of one table as protocol buffers, made from its schema at run time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import attrs

from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.row import PreparedRow
from msp_bigquery._rows.values import Plain
from msp_bigquery._storage.proto_values import CONVERSIONS, UnfitValueError

if TYPE_CHECKING:  # imported where rows are written
    from google.cloud.bigquery import SchemaField
    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
    from google.protobuf.message import Message

_ROW = "Row"
_RECORDS = ("RECORD", "STRUCT")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@attrs.frozen
class Column:
    """One column, or one field of a record.

    Attributes:
        name: as in the schema.
        kind: BigQuery's type, as in the schema.
        repeated: whether it holds a list.
        columns: of a record, by lower-case name; empty for all else.
    """

    name: str
    kind: str
    repeated: bool
    columns: Mapping[str, Column]

    def value(self, value: Plain, path: str) -> Any:  # noqa: ANN401 - what its proto field takes
        """Return a plain value as the column's proto field takes it.

        Raises:
            UnfitValueError: it does not fit.
        """
        if not self.repeated:
            return self._one(value, path)
        if not isinstance(value, list):
            raise UnfitValueError(f"expected a list (column {path!r})")
        return [self._one(element, path) for element in value]

    def _one(self, value: Plain, path: str) -> Any:  # noqa: ANN401 - same
        if self.columns:
            if not isinstance(value, dict):
                raise UnfitValueError(f"expected a record (column {path!r})")
            return record(value, self.columns, f"{path}.")
        try:
            return CONVERSIONS[self.kind].convert(value)
        except (
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
        ):  # their texts may quote the value
            raise UnfitValueError(f"expected {self.kind} (column {path!r})") from None


@attrs.frozen(eq=False)
class TableProto:
    """How rows of one table are encoded.

    Attributes:
        descriptor: of the message, as the Storage Write API takes it.
        columns: by lower-case name.
        message: class of the messages.
    """

    descriptor: DescriptorProto
    columns: Mapping[str, Column]
    message: type[Message]

    @classmethod
    def of(cls, schema: Sequence[SchemaField]) -> TableProto:
        """Return the encoding for a schema, without columns that no proto field can stand for."""
        from google.protobuf import (  # noqa: PLC0415 - vendor library: imported where it is needed
            descriptor_pb2,
            descriptor_pool,
            message_factory,
        )

        columns = _columns(schema)
        descriptor = descriptor_pb2.DescriptorProto(name=_ROW)
        _describe(descriptor, columns)
        file = descriptor_pb2.FileDescriptorProto(name="row.proto", syntax="proto2")
        file.message_type.add().CopyFrom(descriptor)
        pool: Any = descriptor_pool.DescriptorPool()
        pool.Add(file)
        found = pool.FindMessageTypeByName(_ROW)
        return cls(descriptor, columns, message_factory.GetMessageClass(found))

    def encode(self, row: PreparedRow) -> bytes:
        """Return a row as bytes.

        Raises:
            UnfitValueError: a value does not fit its column, or there is no such column.
        """
        try:
            return self.message(**record(row.values, self.columns, "")).SerializeToString()
        except (TypeError, ValueError):  # beyond the range of its proto type; quotes the value
            raise UnfitValueError("a number is out of range") from None


def record(values: Mapping[str, Plain], columns: Mapping[str, Column], prefix: str) -> Any:  # noqa: ANN401 - of a message
    """Return the fields of a message, those that are NULL left out.

    Raises:
        UnfitValueError: a value does not fit its column, or there is no such column.
    """
    fields = {}
    for name, value in values.items():
        column = columns.get(name.lower())
        if column is None:
            raise UnfitValueError(f"no such column (column {prefix + name!r})")
        if value is not None:
            fields[column.name] = column.value(value, prefix + name)
    return fields


def failure_of_unfit(index: int, error: UnfitValueError) -> Failure:
    """Return what `encode` raised as BigQuery would have said it."""
    return Failure(index=index, reasons=(str(error),))


def _columns(schema: Sequence[SchemaField]) -> dict[str, Column]:
    columns = {}
    for field in schema:
        kind = field.field_type.upper()
        inner = _columns(field.fields) if kind in _RECORDS else {}
        if _NAME.fullmatch(field.name) and (inner or kind in CONVERSIONS):
            repeated = field.mode == "REPEATED"
            columns[field.name.lower()] = Column(field.name, kind, repeated, inner)
    return columns


def _describe(descriptor: DescriptorProto, columns: Mapping[str, Column]) -> None:
    for number, column in enumerate(columns.values(), start=1):
        field = descriptor.field.add(name=column.name, number=number)
        field.label = field.LABEL_REPEATED if column.repeated else field.LABEL_OPTIONAL
        if column.columns:
            nested = descriptor.nested_type.add(name=f"Record{number}")
            _describe(nested, column.columns)
            field.type = field.TYPE_MESSAGE
            field.type_name = nested.name
        else:
            field.type = cast(
                "FieldDescriptorProto.Type.ValueType", CONVERSIONS[column.kind].proto_type
            )
