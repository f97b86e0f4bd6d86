"""BufferedWriter: takes rows at once and writes them in batches, in threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import Literal

import attrs

from msp_bigquery._delivery.delivery import Delivery, DeliveryError
from msp_bigquery._delivery.patience import Patience, Stop
from msp_bigquery._refused_row import Failure, RefusedRow
from msp_bigquery._rows.row import PreparedRow, prepare
from msp_bigquery._writers.buffer import Batch, Buffer, BufferLimits
from msp_bigquery._writers.tally import Counts, Tally
from msp_bigquery.errors import BufferFullError, WriterClosedError
from msp_core.deadline import Deadline
from msp_core.errors import UsageError

OnFull = Literal["wait", "refuse"]
_CLOSED = "the buffer was closed: the service has stopped"


class BufferedWriter:
    """Writes rows to one table in batches; `TableWriter.buffered` makes one.

    `write` returns once the rows are in memory. A batch goes off when it has enough rows or
    bytes, or its oldest row has waited long enough, and is tried again until BigQuery takes it.
    Memory is bounded: when too many rows are not yet durable, writing waits. Rows that BigQuery
    refuses, and what could not be sent before the service stopped, go to the dead-letter function.
    May be used from any thread and event loop; the order of rows is not kept.

    Args:
        delivery: into the table.
        limits: of batches and memory.
        tally: where refused rows end.
        insert_ids: whether rows without an insert id get one.
        on_full: `wait` for room, or `refuse` rows at once, which then count as refused.
        timeout: seconds to wait for room.
        senders: batches on their way at once.
    """

    def __init__(
        self,
        delivery: Delivery,
        limits: BufferLimits,
        tally: Tally,
        *,
        insert_ids: bool,
        on_full: OnFull,
        timeout: float,
        senders: int,
    ) -> None:
        self._delivery = delivery
        self._tally = tally
        self._insert_ids = insert_ids
        self._on_full = on_full
        self._timeout = timeout
        self._senders = senders
        self._buffer = Buffer(limits)
        self._stop = Stop()
        self._threads: list[threading.Thread] = []
        # Guards the buffer, the waiters and the flags; nothing is sent while it is held.
        self._changed = threading.Condition()
        self._room: deque[Future[None]] = deque()
        self._flushes: list[tuple[int, Future[None]]] = []
        self._flush_to = 0
        self._closing = False

    @property
    def counts(self) -> Counts:
        """What became of the rows so far."""
        with self._changed:
            return Counts(
                accepted=self._buffer.accepted,
                written=self._tally.written,
                refused=self._tally.refused,
                pending=self._buffer.pending,
            )

    async def write(self, *rows: object) -> None:
        """Take rows; returns when they are in the buffer, not when they are durable.

        Args:
            rows: attrs instances, mappings, or `Row`s; at least one.

        Raises:
            UsageError: no row was given.
            RowValueError: a row holds what BigQuery has no type for; none was taken.
            BufferFullError: the buffer had no room in time; says how many rows it took.
            WriterClosedError: the service has stopped.
        """
        left, deadline = self._prepare(rows), Deadline.after(self._timeout)
        while room := self._add(left):
            try:
                async with asyncio.timeout(deadline.remaining()):
                    await asyncio.wrap_future(room)
            except TimeoutError:
                raise self._full_error(left, rows) from None
            finally:
                self._forget(room)

    def write_sync(self, *rows: object) -> None:
        """Do the same as `write`, from a thread without an event loop."""
        left, deadline = self._prepare(rows), Deadline.after(self._timeout)
        while room := self._add(left):
            try:
                room.result(deadline.remaining())
            except TimeoutError:
                raise self._full_error(left, rows) from None
            finally:
                self._forget(room)

    async def flush(self) -> None:
        """Send all rows taken so far; returns when each is durable or was refused."""
        await asyncio.wrap_future(self._ask_flush())

    def flush_sync(self) -> None:
        """Do the same as `flush`, from a thread without an event loop."""
        self._ask_flush().result()

    def hurry(self) -> None:
        """Take nothing more, and send what is left without waiting for company."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            self._wake()
        self._stop.hurry()

    def close(self, deadline: Deadline) -> None:
        """Send what is left; what is not durable by then is refused."""
        self.hurry()
        for thread in self._threads:
            thread.join(deadline.remaining())
        self.abandon()

    def abandon(self) -> None:
        """Refuse what is not durable, at once."""
        self.hurry()
        self._stop.stop()
        with self._changed:
            sent = [batch for batch in self._buffer.list_unsettled() if self._buffer.settle(batch)]
            waiting = list(iter(self._buffer.take, None))
            for batch in waiting:
                self._buffer.settle(batch)
            self._wake()
        self._bury(sent, "not known to be written when the service stopped")
        self._bury(waiting, "not sent before the service stopped")
        self._tally.flush()

    def _prepare(self, rows: Sequence[object]) -> deque[PreparedRow]:
        if not rows:
            raise UsageError("no values to insert: write needs at least one row")
        return deque(prepare(rows, insert_ids=self._insert_ids))

    def _add(self, left: deque[PreparedRow]) -> Future[None] | None:
        """Move rows into the buffer; when some are left over, return what tells of room."""
        with self._changed:
            if self._closing:
                raise WriterClosedError(_CLOSED)
            self._start()
            idle = self._buffer.due(time.monotonic()) == math.inf
            while left and self._buffer.add(left[0], time.monotonic()):
                left.popleft()
            if idle or not self._buffer.due(time.monotonic()):
                self._changed.notify()
            if left and self._on_full == "wait":
                self._room.append(Future())
                return self._room[-1]
        if left:
            self._tally.bury([_describe_refused(row, ("the buffer was full",)) for row in left])
        return None

    def _full_error(
        self, left: Collection[PreparedRow], rows: Collection[object]
    ) -> BufferFullError:
        taken = len(rows) - len(left)
        return BufferFullError(self._delivery.table, taken, len(rows), self._timeout)

    def _forget(self, room: Future[None]) -> None:
        with self._changed, contextlib.suppress(ValueError):  # most were removed by `_wake`
            self._room.remove(room)

    def _start(self) -> None:
        while len(self._threads) < self._senders:
            name = f"msp-bigquery-{self._delivery.table}-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while batch := self._next():
            failures = self._send(batch)
            with self._changed:
                if not self._buffer.settle(batch):
                    return  # abandoned meanwhile: its rows were refused already
            self._tally.add_written(len(batch.rows) - len(failures))
            if failures:
                self._tally.bury([_describe_refusal(one, batch) for one in failures])
            with self._changed:
                self._wake()
            del batch, failures  # a waiting thread must not hold rows

    def _next(self) -> Batch | None:
        """Wait until a batch is due and take it; return None when there will be none any more."""
        with self._changed:
            while True:
                seconds = self._buffer.due(time.monotonic())
                if self._closing or self._buffer.taken < self._flush_to or not seconds:
                    break
                self._changed.wait(None if seconds == math.inf else seconds)
            batch = self._buffer.take()
            if self._buffer.due(time.monotonic()) < math.inf:
                self._changed.notify()  # some other thread has to look after the rest
            return batch

    def _send(self, batch: Batch) -> Sequence[Failure]:
        """Send a batch, however long it takes; return the rows that were refused."""
        try:
            return self._delivery.deliver(batch.rows, Patience(self._stop), denied_passes=True)
        except DeliveryError as error:
            reasons = (error.trouble.text,)
            return [Failure(index=index, reasons=reasons) for index in range(len(batch.rows))]

    def _wake(self) -> None:
        """Tell those that wait for room, or for rows to be durable; needs the lock."""
        while self._room:
            _set(self._room.popleft())
        settled = self._buffer.count_settled()
        for flush in [flush for flush in self._flushes if flush[0] <= settled]:
            self._flushes.remove(flush)
            _set(flush[1])

    def _ask_flush(self) -> Future[None]:
        """Return what tells when every row taken so far is no longer pending."""
        flushed = Future[None]()
        with self._changed:
            self._flush_to = self._buffer.accepted
            self._flushes.append((self._flush_to, flushed))
            self._changed.notify_all()
            self._wake()
        return flushed

    def _bury(self, batches: Sequence[Batch], reason: str) -> None:
        rows = [row for batch in batches for row in batch.rows]
        if rows:
            self._tally.bury([_describe_refused(row, (reason,)) for row in rows])


def _describe_refused(row: PreparedRow, reasons: tuple[str, ...]) -> RefusedRow:
    return RefusedRow(number=None, reasons=reasons, values=row.values, insert_id=row.insert_id)


def _describe_refusal(failure: Failure, batch: Batch) -> RefusedRow:
    refused = _describe_refused(batch.rows[failure.index], failure.reasons)
    return attrs.evolve(refused, details=failure.details)


def _set(future: Future[None]) -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(None)
