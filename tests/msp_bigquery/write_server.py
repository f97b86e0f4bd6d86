"""WriteServer: the Storage Write API's rules for streams and offsets, and failures on demand."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc
from google.cloud.bigquery_storage_v1 import types
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tests.google_roles import allowed

INVALID, OUT_OF_RANGE = 3, 11
Happening = Callable[["WriteServer", Any], None]
"""(server, request) -> nothing; called before a request is judged, may raise `Cut`."""


class Cut(Exception):  # noqa: N818 - an order, no error
    """End the connection; when `after` is true only once the rows are written."""

    def __init__(self, *, after: bool) -> None:
        self.after = after


class Say(Exception):  # noqa: N818 - an order, no error
    """Answer with an error for the request as a whole."""

    def __init__(self, code: int) -> None:
        self.code = code


class Done(Exception):  # noqa: N818 - an order, no error
    """End the connection in order, without an answer."""


class WriteServer:
    """A server on a free port of 127.0.0.1; a context manager.

    Rows whose first column is `bad` are refused.

    Args:
        happenings: one for each of the first requests, in order; None for nothing special.
        roles: of who asks; what they do not allow is refused. None: all is allowed.
    """

    def __init__(self, *happenings: Happening | None, roles: Collection[str] | None = None) -> None:
        self.roles = roles
        self.happenings = deque(happenings)
        self.rows: list[Any] = []
        self.streams: dict[str, int] = {}
        self.finalized: set[str] = set()
        self.requests = 0
        self.connections = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(16))
        self._server.add_generic_rpc_handlers((self._handler(),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def _handler(self) -> grpc.GenericRpcHandler:
        kinds = types
        methods = {
            "AppendRows": grpc.stream_stream_rpc_method_handler(
                self._append,
                kinds.AppendRowsRequest.deserialize,
                kinds.AppendRowsResponse.serialize,
            ),
            "CreateWriteStream": grpc.unary_unary_rpc_method_handler(
                self._create,
                kinds.CreateWriteStreamRequest.deserialize,
                kinds.WriteStream.serialize,
            ),
            "FinalizeWriteStream": grpc.unary_unary_rpc_method_handler(
                self._finalize,
                kinds.FinalizeWriteStreamRequest.deserialize,
                kinds.FinalizeWriteStreamResponse.serialize,
            ),
        }
        service = "google.cloud.bigquery.storage.v1.BigQueryWrite"
        return grpc.method_handlers_generic_handler(service, methods)

    def _check(self, context: grpc.ServicerContext) -> None:
        """Refuse who may not write; all three methods need the same permission."""
        permission = "bigquery.tables.updateData"
        if self.roles is not None and not allowed(permission, self.roles):
            message = f"Permission '{permission}' denied on resource (or it may not exist)."
            context.abort(grpc.StatusCode.PERMISSION_DENIED, message)

    def _create(self, request: Any, context: grpc.ServicerContext) -> types.WriteStream:
        self._check(context)
        with self._lock:
            name = f"{request.parent}/streams/{len(self.streams) + 1}"
            self.streams[name] = 0
            return types.WriteStream(name=name)

    def _finalize(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._check(context)
        with self._lock:
            if request.name not in self.streams:
                context.abort(grpc.StatusCode.NOT_FOUND, "no such stream")
            self.finalized.add(request.name)
            return types.FinalizeWriteStreamResponse(row_count=self.streams[request.name])

    def _append(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        self._check(context)
        name, message = "", None
        with self._lock:
            self.connections += 1
        for request in requests:
            if request.write_stream:
                name, message = request.write_stream, _message(request)
            with self._lock:
                happening = self.happenings.popleft() if self.happenings else None
                self.requests += 1
            try:
                if happening is not None:
                    happening(self, request)
            except Cut as order:
                if order.after:
                    self._judged(name, message, request)
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            except Say as order:
                yield _error(order.code)
            except Done:
                return
            else:
                yield self._judged(name, message, request)

    def _judged(self, name: str, message: Any, request: Any) -> types.AppendRowsResponse:
        rows = [message.FromString(row) for row in request.proto_rows.rows.serialized_rows]
        bad = [index for index, row in enumerate(rows) if row.ListFields()[0][1] == "bad"]
        with self._lock:
            misplaced = name in self.finalized or request.offset != self.streams.get(name)
            if "offset" in request and misplaced:
                return _error(OUT_OF_RANGE)
            if bad:
                return _error(INVALID, *bad)
            if name in self.streams:
                self.streams[name] += len(rows)
            self.rows += rows
        return types.AppendRowsResponse()

    def __enter__(self) -> Self:
        """Start."""
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.released.set()
        self._server.stop(0).wait()


def cut(_: WriteServer, __: object) -> None:
    """Lose the request with its connection."""
    raise Cut(after=False)


def saying(code: int) -> Happening:
    """Answer with an error for the request as a whole."""

    def say(_: WriteServer, __: object) -> None:
        raise Say(code)

    return say


def cut_after(_: WriteServer, __: object) -> None:
    """Write the rows, and lose the answer with the connection."""
    raise Cut(after=True)


def hang(server: WriteServer, _: object) -> None:
    """Wait until the test ends, or says so."""
    server.released.wait(30)


def _error(code: int, *bad: int) -> types.AppendRowsResponse:
    refused = types.RowError.RowErrorCode.FIELDS_ERROR
    errors = [types.RowError(index=one, code=refused, message="quotes hunter2") for one in bad]
    response = types.AppendRowsResponse(row_errors=errors)
    types.AppendRowsResponse.pb(response).error.code = code
    return response


def _message(request: Any) -> Any:
    pb = types.AppendRowsRequest.pb(request)
    file = descriptor_pb2.FileDescriptorProto(name="theirs.proto", syntax="proto2")
    file.message_type.add().CopyFrom(pb.proto_rows.writer_schema.proto_descriptor)
    pool: Any = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(file.message_type[0].name))
