"""Storage: rows as protocol buffers over gRPC, the Storage Write API."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from typing import Any

from msp_bigquery._google import NO_RETRY, Google
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._storage.append_connection import DisplacedError
from msp_bigquery._storage.encoded_row import EncodedRow
from msp_bigquery._storage.proto_values import UnfitValueError
from msp_bigquery._storage.streams import CommittedStream, DefaultStream, Payload, Stream
from msp_bigquery._storage.table_proto import TableProto, failure_of_unfit
from msp_core.deadline import Deadline
from msp_core.errors import UsageError


class Storage:
    """The way into one table that the extra `storage` opens.

    Attributes:
        max_rows: of one request.
        max_bytes: of one request; BigQuery takes 10 MB.

    Args:
        google: gives the clients.
        table: name of the table.
        exactly_once: whether retries must not duplicate rows.
    """

    max_rows = 10_000
    max_bytes = 5_000_000

    def __init__(self, google: Google, table: str, *, exactly_once: bool) -> None:
        if importlib.util.find_spec("google.cloud.bigquery_storage_v1") is None:
            raise UsageError(
                "the Storage Write API needs google-cloud-bigquery-storage: "
                "pip install 'msp-bigquery[storage]'"
            )
        google.require_grpc()
        self._google = google
        self._table = table
        self._lock = threading.Lock()
        self._proto: TableProto | None = None
        kind = CommittedStream if exactly_once else DefaultStream
        self.stream: Stream = kind(google, table)

    def form(self, row: Any, insert_id: str | None) -> EncodedRow | PlainRow:  # noqa: ANN401 - whatever is given
        """Return a row ready to be sent; one that does not fit may have a new schema.

        Raises:
            RowValueError: it is no row, or holds what BigQuery has no type for.
        """
        proto = self._proto
        encoded = None if proto is None else EncodedRow.of(row, insert_id, proto)
        return encoded or PlainRow.of(row, insert_id)

    def shipment(self, rows: Sequence[EncodedRow | PlainRow]) -> StorageShipment:
        """Return rows ready to be sent."""
        return StorageShipment(self, rows)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def proto(self, timeout: float, *, not_this: TableProto | None = None) -> TableProto:
        """Return how rows are encoded, after the table's schema, which is asked for once.

        Args:
            timeout: seconds that asking may take.
            not_this: an encoding that has turned out to be outdated.
        """
        with self._lock:
            known = self._proto
        if known is not None and known is not not_this:
            return known
        client = self._google.client()
        table = self._google.table(self._table)
        found = client.get_table(table, retry=NO_RETRY, timeout=timeout)
        made = TableProto.of(found.schema)
        with self._lock:
            self._proto = made
        return made


class StorageShipment:
    """Rows that are sent until all of them are durable, but for those that do not fit.

    Args:
        way: into the table.
        rows: to be sent.
    """

    def __init__(self, way: Storage, rows: Sequence[EncodedRow | PlainRow]) -> None:
        self._way = way
        self._rows = rows
        self._left = list(range(len(rows)))
        self._failures: list[Failure] = []
        self._payload: Payload | None = None
        self._renewed = False

    def send(self, timeout: float) -> Sequence[Failure]:
        """Try once, without the rows that do not fit."""
        deadline = Deadline.after(timeout)
        while self._left:
            payload = self._payload or self._encode(deadline)
            if not self._left:
                break
            self._payload = payload
            try:
                self._way.stream.append(payload, deadline)
            except DisplacedError:  # by rows that are at fault, while these are not: once more
                continue
            except Exception as error:  # noqa: BLE001 - judged, whatever the libraries raise
                self._judge(error, payload, deadline)
            else:
                self._left = []
        return sorted(self._failures, key=lambda failure: failure.index)

    def _encode(self, deadline: Deadline) -> Payload:
        """Encode what is left; a row that does not fit may have been written for a new schema."""
        proto = self._way.proto(deadline.remaining())
        rows, failures = self._encode_rows(proto)
        if failures and not self._renewed:
            self._renewed = True
            proto = self._way.proto(deadline.remaining(), not_this=proto)
            rows, failures = self._encode_rows(proto)
        self._drop(failures)
        return Payload(proto, rows)

    def _encode_rows(self, proto: TableProto) -> tuple[list[bytes], list[Failure]]:
        rows, failures = [], []
        for index in self._left:
            try:
                rows.append(_encode(self._rows[index], proto))
            except UnfitValueError as error:
                failures.append(failure_of_unfit(index, error))
        return rows, failures

    def _judge(self, error: Exception, payload: Payload, deadline: Deadline) -> None:
        """Take the rows out that are to blame, or raise."""
        errors = _row_errors(error)
        if errors:
            self._way.stream.note_refused(payload)
            self._drop([_failure(self._left[one.index], one) for one in errors])
        elif _is_schema(error) and not self._renewed:
            self._renewed = True
            self._way.stream.note_refused(payload)
            self._way.proto(deadline.remaining(), not_this=payload.proto)
        else:
            raise error
        self._payload = None

    def _drop(self, failures: Sequence[Failure]) -> None:
        self._failures += failures
        dropped = {failure.index for failure in failures}
        self._left = [index for index in self._left if index not in dropped]


def _encode(row: EncodedRow | PlainRow, proto: TableProto) -> bytes:
    if isinstance(row, EncodedRow) and row.proto is proto:
        return row.data
    return proto.encode(row.values)


def _row_errors(error: Exception) -> Sequence[Any]:
    response = getattr(error, "response", None)
    return getattr(response, "row_errors", ())


def _is_schema(error: Exception) -> bool:
    from google.api_core import exceptions  # noqa: PLC0415 - vendor library

    return isinstance(error, exceptions.InvalidArgument)


def _failure(index: int, error: Any) -> Failure:  # noqa: ANN401 - proto-plus makes its types at run time
    return Failure(index=index, reasons=(error.code.name,), details=(error.message,))
