"""WriteServer: the Storage Write API over gRPC."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import duckdb
import grpc
from google.cloud.bigquery_storage_v1 import types
from google.protobuf import timestamp_pb2
from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]

from msp_bigquery_emulator._addresses import reachable
from msp_bigquery_emulator._errors import BigQueryError
from msp_bigquery_emulator._store.catalog import Table
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._write_api.proto_rows import ProtoRows
from msp_bigquery_emulator._write_api.write_streams import Stream, StreamError, WriteStreams

_SERVICE: Final = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_CALLS: Final = 200  # at a time; each open AppendRows is one and holds a thread
_GRACE: Final = 1.0  # seconds for the calls that are here when it stops
_LARGEST: Final = 20 * 1024 * 1024  # bytes of a message; BigQuery takes 10 MB of rows
_CODES: Final = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}
_TYPES: Final = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}

# The messages themselves; what surrounds them in `types` costs several times their parsing.
_Append: Final[Any] = types.AppendRowsRequest.pb()
_Appended: Final[Any] = types.AppendRowsResponse.pb()
_StorageError: Final[Any] = types.StorageError.pb()
_WriteStream: Final[Any] = types.WriteStream.pb()
_RowError: Final[Any] = types.RowError.pb()


class WriteServer:
    """Serves the Storage Write API; who can connect can do everything."""

    def __init__(self, streams: WriteStreams, host: str, port: int) -> None:
        """Bind a port, 0 for a free one, of an address.

        Raises:
            OSError: the port is taken.
        """
        self._server = grpc.server(
            ThreadPoolExecutor(_CALLS, thread_name_prefix="grpc"),
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _LARGEST)],
        )
        self._server.add_generic_rpc_handlers((_handlers(_Writing(streams)),))
        try:
            bound = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:
            raise OSError(f"gRPC port {port} cannot be bound: is it in use?") from None
        self.address = f"{reachable(host)}:{bound}"

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Answer what is here, take no more, and cut off who stays."""
        self._server.stop(_GRACE).wait()


class _Writing:
    """The methods of the service."""

    def __init__(self, streams: WriteStreams) -> None:
        self._streams = streams

    def create(self, request: Any) -> Any:  # noqa: ANN401 - messages
        kind = types.WriteStream.Type(request.write_stream.type_).name
        return _resource(*self._streams.create(request.parent, kind))

    def get(self, request: Any) -> Any:  # noqa: ANN401 - messages
        return _resource(*self._streams.get(request.name))

    def finalize(self, request: Any) -> Any:  # noqa: ANN401 - messages
        rows = self._streams.finalize(request.name)
        return types.FinalizeWriteStreamResponse.pb()(row_count=rows)

    def commit(self, request: Any) -> Any:  # noqa: ANN401 - messages
        done = self._streams.commit(request.write_streams)
        response = types.BatchCommitWriteStreamsResponse.pb()()
        if isinstance(done, int):
            response.commit_time.FromMilliseconds(done)
        else:
            response.stream_errors.extend(
                _StorageError(
                    code=error.storage_code or 0, entity=name, error_message=error.message
                )
                for name, error in done.items()
            )
        return response

    def flush(self, request: Any) -> Any:  # noqa: ANN401 - messages
        offset = self._streams.flush(request.write_stream, request.offset.value)
        return types.FlushRowsResponse.pb()(offset=offset)

    def append(self, requests: Iterator[Any]) -> Iterator[Any]:
        name, writers = "", dict[str, ProtoRows]()
        for request in requests:
            name = request.write_stream or name
            if request.HasField("arrow_rows"):
                raise StreamError("UNIMPLEMENTED", "Arrow rows are not supported by this emulator")
            if request.proto_rows.HasField("writer_schema"):
                descriptor = request.proto_rows.writer_schema.proto_descriptor
                writers[name] = ProtoRows(descriptor)
            if name not in writers:
                message = "The first request of a stream has no name or no writer schema"
                raise StreamError("INVALID_ARGUMENT", message)
            yield self._append(name, writers[name], request)

    def _append(self, name: str, writer: ProtoRows, request: Any) -> Any:  # noqa: ANN401 - messages
        _, table = self._streams.get(name)
        rows, refused = writer.read(table.fields, request.proto_rows.rows.serialized_rows)
        if refused:
            return _refuse_rows(name, refused)
        offset = request.offset.value if request.HasField("offset") else None
        response = _Appended(write_stream=name)
        try:
            first = self._streams.append(name, offset, rows)
        except StreamError as error:
            response.error.CopyFrom(_status(error))
            return response
        response.append_result.SetInParent()
        if first is not None:
            response.append_result.offset.value = first
        return response


def _refuse_rows(name: str, refused: dict[int, str]) -> Any:  # noqa: ANN401 - messages
    response = _Appended(write_stream=name)
    response.error.code = code_pb2.INVALID_ARGUMENT
    response.error.message = "Errors found while processing rows. See row_errors for details."
    response.row_errors.extend(
        _RowError(index=index, code="FIELDS_ERROR", message=message)
        for index, message in refused.items()
    )
    return response


def _status(error: StreamError) -> status_pb2.Status:
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message)
    if error.storage_code:
        detail = _StorageError(code=error.storage_code, error_message=error.message)
        status.details.add().Pack(detail)
    return status


def _resource(stream: Stream, table: Table) -> Any:  # noqa: ANN401 - messages
    kind = "COMMITTED" if stream.kind == "DEFAULT" else stream.kind
    resource = _WriteStream(name=stream.name, type_=kind, write_mode="INSERT", location="US")
    resource.create_time.FromMilliseconds(stream.created)
    if stream.committed is not None:
        at = timestamp_pb2.Timestamp()
        at.FromMilliseconds(stream.committed)
        resource.commit_time.CopyFrom(at)
    _describe(resource.table_schema.fields, table.fields)
    return resource


def _describe(schemas: Any, fields: tuple[Field, ...]) -> None:  # noqa: ANN401 - messages
    for field in fields:
        kind = _TYPES.get(field.type, field.type)
        schema = schemas.add(name=field.name, type_=kind, mode=field.mode)
        _describe(schema.fields, field.fields)


def _handlers(writing: _Writing) -> grpc.GenericRpcHandler:
    def unary(answer: Callable[[Any], Any], request: Any) -> Any:  # noqa: ANN401 - messages
        return grpc.unary_unary_rpc_method_handler(
            lambda message, context: _guard(context, lambda: answer(message)),
            request_deserializer=request.pb().FromString,
            response_serializer=_serialize,
        )

    return grpc.method_handlers_generic_handler(
        _SERVICE,
        {
            "CreateWriteStream": unary(writing.create, types.CreateWriteStreamRequest),
            "GetWriteStream": unary(writing.get, types.GetWriteStreamRequest),
            "FinalizeWriteStream": unary(writing.finalize, types.FinalizeWriteStreamRequest),
            "BatchCommitWriteStreams": unary(writing.commit, types.BatchCommitWriteStreamsRequest),
            "FlushRows": unary(writing.flush, types.FlushRowsRequest),
            "AppendRows": grpc.stream_stream_rpc_method_handler(
                lambda messages, context: _guarded_all(context, writing.append(messages)),
                request_deserializer=_Append.FromString,
                response_serializer=_serialize,
            ),
        },
    )


def _serialize(message: Any) -> bytes:  # noqa: ANN401 - messages
    content: bytes = message.SerializeToString()
    return content


def _guarded_all(context: grpc.ServicerContext, responses: Iterator[Any]) -> Iterator[Any]:
    """Yield responses until one fails."""
    done = object()
    while (response := _guard(context, lambda: next(responses, done))) is not done:
        yield response


def _guard(context: grpc.ServicerContext, answer: Callable[[], Any]) -> Any:  # noqa: ANN401 - messages
    """Answer, or end the call with what went wrong."""
    try:
        return answer()
    except StreamError as error:
        code, message = error.code, error.message
    except BigQueryError as error:
        code, message = _CODES.get(error.status, "UNIMPLEMENTED"), error.message
    except duckdb.Error as error:
        code, message = "INVALID_ARGUMENT", str(error).strip().partition("\n")[0]
    except ConnectionError:
        code, message = "UNAVAILABLE", "the emulator is stopping"
    except Exception as error:
        if not context.is_active():  # the client left in the middle
            raise
        traceback.print_exc(file=sys.stderr)
        code, message = "UNIMPLEMENTED", f"this call failed ({type(error).__name__})"
    context.abort(grpc.StatusCode[code], message)
    raise AssertionError  # abort raises
