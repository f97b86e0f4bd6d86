"""AppendConnection: one open call of AppendRows, with many requests on their way."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from msp_bigquery._storage.table_proto import TableProto

if TYPE_CHECKING:  # imported where a connection is opened
    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
    from google.cloud.bigquery_storage_v1.types import AppendRowsRequest


class BrokenConnectionError(ConnectionError):
    """The connection ended before the answer came."""


class DisplacedError(Exception):
    """The rows did not get there, or may not have, because others before them were refused."""


class AppendConnection:
    """Appends rows to one stream; answers come in the order of the requests.

    Google's own `AppendRowsStream` polls for answers with pauses of a second, and hides why it
    could not connect.

    Args:
        client: Google's.
        stream: its resource name.
        proto: of the rows; a connection keeps to one.
    """

    def __init__(self, client: BigQueryWriteClient, stream: str, proto: TableProto) -> None:
        self.proto = proto
        self._stream = stream
        # Guards that requests and answers are queued in the same order, and the end.
        self._lock = threading.Lock()
        self._requests: queue.SimpleQueue[AppendRowsRequest | None] = queue.SimpleQueue()
        self._answers: deque[Future[None]] = deque()
        self._first = True
        self._ended: Exception | None = None
        # The method of the transport, as the client's own waits for the first answer.
        append_rows: Any = client.transport.append_rows
        self._call = append_rows(
            iter(self._requests.get, None),
            metadata=[("x-goog-request-params", f"write_stream={stream}")],
        )
        threading.Thread(target=self._read, name="msp-bigquery-append", daemon=True).start()

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent, as far as is known."""
        return self._ended is None

    def send(self, rows: Sequence[bytes], offset: int | None) -> Future[None]:
        """Append rows; return what tells when they are durable, or why they are not.

        Args:
            rows: encoded with `proto`.
            offset: where in the stream they must land; None for wherever.
        """
        answer = Future[None]()
        with self._lock:
            if self._ended is not None:
                raise self._ended
            self._answers.append(answer)
            self._requests.put(self._request(rows, offset))
        return answer

    def close(self, error: Exception | None = None) -> None:
        """End the call; what waits for an answer gets the error, or that the connection broke."""
        # In this order: cancelling wakes the reading thread, whose own error would be the first.
        self._end(error or BrokenConnectionError())
        self._call.cancel()

    def _request(self, rows: Sequence[bytes], offset: int | None) -> AppendRowsRequest:
        from google.cloud.bigquery_storage_v1 import types  # noqa: PLC0415 - vendor library

        request = types.AppendRowsRequest()
        message = types.AppendRowsRequest.pb(request)
        message.proto_rows.rows.serialized_rows.extend(rows)
        if offset is not None:
            message.offset.value = offset
        if self._first:
            message.write_stream = self._stream
            message.proto_rows.writer_schema.proto_descriptor.CopyFrom(self.proto.descriptor)
            missing = types.AppendRowsRequest.MissingValueInterpretation.DEFAULT_VALUE
            message.default_missing_value_interpretation = missing
            self._first = False
        return request

    def _read(self) -> None:
        import grpc  # noqa: PLC0415 - vendor library
        from google.api_core import exceptions  # noqa: PLC0415 - same

        try:
            for response in self._call:
                self._answer(response)
        except grpc.RpcError as error:
            self._end(exceptions.from_grpc_error(error))  # type: ignore[no-untyped-call]
        else:
            self._end(BrokenConnectionError())

    def _answer(self, response: Any) -> None:  # noqa: ANN401 - proto-plus makes its types at run time
        from google.api_core import exceptions  # noqa: PLC0415 - vendor library

        with self._lock:
            # None is left when the end came between the answer and this line: nobody waits for it.
            answer = self._answers.popleft() if self._answers else Future[None]()
        if response.error.code:
            from_status: Any = exceptions.from_grpc_status
            refusal = response.error
            answer.set_exception(from_status(refusal.code, refusal.message, response=response))
        else:
            answer.set_result(None)

    def _end(self, error: Exception) -> None:
        with self._lock:
            self._ended = self._ended or error
            answers, self._answers = self._answers, deque()
        self._requests.put(None)  # ends the thread of grpc that iterates over them
        # Outside the lock: who waited may send again from the callback that runs here.
        for answer in answers:
            answer.set_exception(error)
