"""DefaultStream and CommittedStream: where the Storage Write API appends rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol

import attrs

from msp_bigquery._google import NO_RETRY, Google
from msp_bigquery._storage.append_connection import AppendConnection, DisplacedError
from msp_bigquery._storage.table_proto import TableProto
from msp_core.deadline import Deadline


@attrs.define
class Payload:
    """Rows of one request.

    Attributes:
        proto: how they are encoded.
        rows: encoded.
        place: where in a stream they were last appended, when it is not known whether they got
            there; None otherwise.
    """

    proto: TableProto
    rows: Sequence[bytes]
    place: Place | None = None


class Stream(Protocol):
    """Appends rows to a table."""

    def append(self, payload: Payload, deadline: Deadline) -> None:
        """Append rows; return when they are durable.

        Raises:
            Exception: what Google's libraries raise; `payload` remembers what must not be
                written twice.
        """
        ...

    def note_refused(self, payload: Payload) -> None:
        """Note that BigQuery took none of the rows because of what is in them."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class DefaultStream:
    """The stream that every table has: at least once, nothing to set up.

    Args:
        google: gives the client.
        table: name of the table.
    """

    def __init__(self, google: Google, table: str) -> None:
        self._google = google
        self._name = f"{google.table_path(table)}/streams/_default"
        self._lock = threading.Lock()
        self._connection: AppendConnection | None = None

    def append(self, payload: Payload, deadline: Deadline) -> None:
        """Append rows; return when they are durable."""
        connection = self._open(payload.proto)
        answer = connection.send(payload.rows, None)
        _await(answer, connection, deadline)

    def note_refused(self, payload: Payload) -> None:
        """Do nothing: requests do not depend on each other."""

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _open(self, proto: TableProto) -> AppendConnection:
        client = self._google.write_client()
        with self._lock:
            connection = self._connection
            if connection is None or not connection.is_open or connection.proto is not proto:
                connection = AppendConnection(client, self._name, proto)
                self._connection = connection
            return connection


@attrs.define(eq=False)
class Committed:
    """One stream of the type COMMITTED.

    Attributes:
        name: its resource name.
        connection: over which it is written.
        end: rows appended to it, durable or not; the next offset.
        length: rows that are durable, known once the stream is finalized; None before.
    """

    name: str
    connection: AppendConnection
    end: int = 0
    length: int | None = None


@attrs.frozen
class Place:
    """Where rows were appended.

    Attributes:
        stream: the stream.
        end: offset behind the last of the rows.
    """

    stream: Committed
    end: int


class CommittedStream:
    """Streams of our own, one at a time: exactly once.

    Rows are appended at offsets, so that each stream holds a prefix of what was sent to it. After
    any trouble it is finalized: how long it is then says which requests got there, and only the
    others are sent again, to a new stream.

    Args:
        google: gives the client.
        table: name of the table.
    """

    def __init__(self, google: Google, table: str) -> None:
        self._google = google
        self._parent = google.table_path(table)
        # Held while streams are made and finalized, too: there is nothing else to do meanwhile.
        self._lock = threading.Lock()
        self._current: Committed | None = None

    def append(self, payload: Payload, deadline: Deadline) -> None:
        """Append rows, unless they got there before; return when they are durable."""
        with self._hold_lock(deadline):
            if payload.place is not None and self._has_arrived(payload.place, deadline):
                return
            payload.place = None
            stream = self._open(payload.proto, deadline)
            answer = stream.connection.send(payload.rows, stream.end)
            stream.end += len(payload.rows)
            payload.place = Place(stream, stream.end)
        _await(answer, stream.connection, deadline)

    def note_refused(self, payload: Payload) -> None:
        """Note that the rows did not get there; what was sent after them did not either."""
        if payload.place is not None:
            payload.place.stream.connection.close(DisplacedError())
            payload.place = None

    def close(self) -> None:
        """Close the connection."""
        if self._current is not None:
            self._current.connection.close()

    @contextmanager
    def _hold_lock(self, deadline: Deadline) -> Iterator[None]:
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise TimeoutError
        try:
            yield
        finally:
            self._lock.release()

    def _has_arrived(self, place: Place, deadline: Deadline) -> bool:
        from google.api_core import exceptions  # noqa: PLC0415 - vendor library

        stream = place.stream
        if stream.length is None:
            stream.connection.close(DisplacedError())
            finalize = self._google.write_client().finalize_write_stream
            try:
                answer = finalize(name=stream.name, retry=NO_RETRY, timeout=deadline.remaining())
            except exceptions.NotFound:  # gone with its rows, as when the table was made anew
                stream.length = 0
            else:
                stream.length = answer.row_count
        return place.end <= stream.length

    def _open(self, proto: TableProto, deadline: Deadline) -> Committed:
        from google.cloud.bigquery_storage_v1 import types  # noqa: PLC0415 - vendor library

        stream = self._current
        if stream is None or not stream.connection.is_open or stream.connection.proto is not proto:
            client = self._google.write_client()
            made = client.create_write_stream(
                parent=self._parent,
                write_stream=types.WriteStream(type_=types.WriteStream.Type.COMMITTED),
                retry=NO_RETRY,
                timeout=deadline.remaining(),
            )
            stream = Committed(made.name, AppendConnection(client, made.name, proto))
            self._current = stream
        return stream


def _await(answer: Future[None], connection: AppendConnection, deadline: Deadline) -> None:
    from google.api_core import exceptions  # noqa: PLC0415 - vendor library

    try:
        answer.result(deadline.remaining())
    except TimeoutError:
        connection.close()  # what came behind it would only wait as well
        raise
    except exceptions.OutOfRange:
        raise DisplacedError from None
