"""TableProto: rows of one table as protocol buffers, made from its schema at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import attrs

from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.plain import Plain
from msp_bigquery._storage.columns import Columns
from msp_bigquery._storage.proto_values import UnfitValueError

if TYPE_CHECKING:  # imported where rows are written
    from google.cloud.bigquery import SchemaField
    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
    from google.protobuf.message import Message

_ROW = "Row"


@attrs.frozen(eq=False)
class TableProto:
    """How rows of one table are encoded.

    Attributes:
        descriptor: of the message, as the Storage Write API takes it.
        columns: of the table.
        message: class of the messages.
    """

    descriptor: DescriptorProto
    columns: Columns
    message: type[Message]

    @classmethod
    def of(cls, schema: Sequence[SchemaField]) -> TableProto:
        """Return the encoding for a schema, without columns that no proto field can stand for."""
        from google.protobuf import (  # noqa: PLC0415 - vendor library: imported where it is needed
            descriptor_pb2,
            descriptor_pool,
            message_factory,
        )

        columns = Columns.of(schema)
        descriptor = descriptor_pb2.DescriptorProto(name=_ROW)
        _describe(descriptor, columns)
        file = descriptor_pb2.FileDescriptorProto(name="row.proto", syntax="proto2")
        file.message_type.add().CopyFrom(descriptor)
        pool: Any = descriptor_pool.DescriptorPool()
        pool.Add(file)
        found = pool.FindMessageTypeByName(_ROW)
        return cls(descriptor, columns, message_factory.GetMessageClass(found))

    def encode(
        self, values: Mapping[str, Any], make_plain: Callable[[Any], Plain] | None = None
    ) -> bytes:
        """Return a row's values as bytes.

        Args:
            values: by column.
            make_plain: makes values plain; None when they are.

        Raises:
            UnfitValueError: a value does not fit its column, or there is no such column.
        """
        fields = self.columns.encode(values, make_plain)
        try:
            return self.message(**fields).SerializeToString()
        except (TypeError, ValueError):  # beyond the range of its proto type; quotes the value
            culprit = next(name for name in fields if not self._takes({name: fields[name]}))
            raise UnfitValueError("a number is out of range", culprit) from None

    def decode(self, data: bytes) -> dict[str, Plain]:
        """Return the plain values of an encoded row, those that are NULL left out."""
        return self.columns.decode(self.message.FromString(data))

    def _takes(self, fields: Mapping[str, Any]) -> bool:
        try:
            self.message(**fields)
        except (TypeError, ValueError):
            return False
        return True


def failure_of_unfit(index: int, error: UnfitValueError) -> Failure:
    """Return what `encode` raised as BigQuery would have said it."""
    return Failure(index=index, reasons=(str(error),))


def _describe(descriptor: DescriptorProto, columns: Columns) -> None:
    for number, column in enumerate(columns.all, start=1):
        field = descriptor.field.add(name=column.name, number=number)
        field.label = field.LABEL_REPEATED if column.repeated else field.LABEL_OPTIONAL
        if column.columns is not None:
            nested = descriptor.nested_type.add(name=f"Record{number}")
            _describe(nested, column.columns)
            field.type_name = nested.name
        kind = column.conversion.proto_type
        field.type = cast("FieldDescriptorProto.Type.ValueType", kind)
