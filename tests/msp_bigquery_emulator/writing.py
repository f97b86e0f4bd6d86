"""Writing: Google's Storage Write API client, with messages made from a short description."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import grpc
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types, writer
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcTransport,
)
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.wrappers_pb2 import Int64Value

TABLE = "projects/project-1/datasets/d/tables/people"
Kind: TypeAlias = types.WriteStream.Type
_Proto: TypeAlias = descriptor_pb2.FieldDescriptorProto
PEOPLE = {"name": "string", "age": "int64"}


def descriptor(name: str, fields: dict[str, Any]) -> descriptor_pb2.DescriptorProto:
    """Return a descriptor of fields by type; a list is repeated, a dict a message."""
    made = descriptor_pb2.DescriptorProto(name=name)
    for number, (field, given) in enumerate(fields.items(), 1):
        one = made.field.add(name=field, number=number, label=_Proto.LABEL_OPTIONAL)
        kind = given
        if isinstance(given, list):
            one.label, kind = _Proto.LABEL_REPEATED, given[0]
        if isinstance(kind, dict):
            one.type, one.type_name = _Proto.TYPE_MESSAGE, field.title()
            made.nested_type.add().CopyFrom(descriptor(one.type_name, kind))
        else:
            one.type = _Proto.Type.Value(f"TYPE_{kind.upper()}")
    return made


def serialized(made: descriptor_pb2.DescriptorProto, rows: Iterable[dict[str, Any]]) -> list[bytes]:
    """Return rows as messages of a descriptor."""
    file = descriptor_pb2.FileDescriptorProto(name="test.proto", package="test")
    file.message_type.add().CopyFrom(made)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{made.name}"))
    return [message(**row).SerializeToString() for row in rows]


@contextmanager
def write_client(address: str) -> Iterator[BigQueryWriteClient]:
    """Give Google's client of an emulator."""
    with grpc.insecure_channel(address) as channel:
        transport = BigQueryWriteGrpcTransport(channel=channel)
        yield BigQueryWriteClient(transport=transport)  # type: ignore[no-untyped-call]


class Stream:
    """One connection to a stream, with rows of one description."""

    def __init__(
        self, client: BigQueryWriteClient, name: str, fields: dict[str, Any] | None = None
    ) -> None:
        self._descriptor = descriptor("Row", fields or PEOPLE)
        schema = types.ProtoSchema(proto_descriptor=self._descriptor)
        template = types.AppendRowsRequest(write_stream=name)
        template.proto_rows = types.AppendRowsRequest.ProtoData(writer_schema=schema)
        self._stream = writer.AppendRowsStream(client, template)

    def append(self, *rows: dict[str, Any], offset: int | None = None) -> Any:
        """Append rows and return the response; raises what the API answered."""
        return self.raw(serialized(self._descriptor, rows), offset=offset)

    def raw(self, rows: Sequence[bytes], offset: int | None = None) -> Any:
        """Append serialized rows and return the response."""
        request = types.AppendRowsRequest()
        data = types.ProtoRows(serialized_rows=rows)
        request.proto_rows = types.AppendRowsRequest.ProtoData(rows=data)
        if offset is not None:
            request.offset = Int64Value(value=offset)
        return self._stream.send(request).result(timeout=30)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
