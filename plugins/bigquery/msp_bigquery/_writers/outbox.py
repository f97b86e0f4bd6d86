"""Outbox: the rows of a buffer in one process, and the threads that send them."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

import attrs

from msp_bigquery._delivery.delivery import Delivery, DeliveryError
from msp_bigquery._delivery.patience import Patience, Stop
from msp_bigquery._refused_row import Failure, RefusedRow
from msp_bigquery._rows.row import Form, PreparedRow
from msp_bigquery._writers.buffer import Batch, Buffer, BufferLimits
from msp_bigquery._writers.tally import Counts, Tally
from msp_bigquery.errors import WriterClosedError
from msp_core.deadline import Deadline

CLOSED = "the buffer was closed: the service has stopped"


class Outbox:
    """Rows from when they are taken until they are durable or refused.

    Belongs to one process: neither threads nor locks outlive a fork. May be used from any thread.

    Args:
        delivery: into the table.
        limits: of batches and memory.
        tally: where refused rows end.
        senders: batches on their way at once.
    """

    def __init__(
        self, delivery: Delivery, limits: BufferLimits, tally: Tally, *, senders: int
    ) -> None:
        self._delivery = delivery
        self._tally = tally
        self._senders = senders
        self._buffer = Buffer(limits)
        self._stop = Stop()
        self._threads: list[threading.Thread] = []
        # Guards the buffer, the waiters and the flags; nothing is sent while it is held.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._room: deque[Future[None]] = deque()
        self._flushes: list[tuple[int, Future[None]]] = []
        self._flush_to = 0
        self._closing = False

    @property
    def form(self) -> Form:
        """What makes rows ready to be sent."""
        return self._delivery.transport.form

    @property
    def counts(self) -> Counts:
        """What became of the rows so far."""
        with self._lock:
            return Counts(
                accepted=self._buffer.accepted,
                written=self._tally.written,
                refused=self._tally.refused,
                pending=self._buffer.pending,
            )

    def add(self, left: deque[PreparedRow], *, wait: bool) -> Future[None] | None:
        """Take rows out of `left`; when some are left over, return what tells of room.

        Args:
            left: rows to be sent.
            wait: whether what is left over is to wait; it is refused otherwise.

        Raises:
            WriterClosedError: it takes nothing more.
        """
        with self._lock:
            if self._closing:
                raise WriterClosedError(CLOSED)
            if not self._threads:
                self._start()
            # Once for each batch: whoever takes one looks after what is left behind it.
            if self._buffer.add(left, time.monotonic()):
                self._changed.notify()
            if left and wait:
                self._room.append(Future())
                return self._room[-1]
        if left:
            self._tally.bury([_describe_refused(row, ("the buffer was full",)) for row in left])
        return None

    def forget(self, room: Future[None]) -> None:
        """Tell whoever waits for room no more."""
        with self._lock, contextlib.suppress(ValueError):  # most were removed by `_wake`
            self._room.remove(room)

    def ask_flush(self) -> Future[None]:
        """Return what tells when every row taken so far is no longer pending."""
        flushed = Future[None]()
        with self._lock:
            self._flush_to = self._buffer.accepted
            self._flushes.append((self._flush_to, flushed))
            self._changed.notify_all()
            self._wake()
        return flushed

    def hurry(self) -> None:
        """Take nothing more, and send what is left without waiting for company."""
        with self._lock:
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
        with self._lock:
            sent = [batch for batch in self._buffer.list_unsettled() if self._buffer.settle(batch)]
            waiting = list(iter(self._buffer.take, None))
            for batch in waiting:
                self._buffer.settle(batch)
            self._wake()
        self._bury(sent, "not known to be written when the service stopped")
        self._bury(waiting, "not sent before the service stopped")
        self._tally.flush()

    def _start(self) -> None:
        while len(self._threads) < self._senders:
            name = f"msp-bigquery-{self._delivery.table}-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while batch := self._next():
            failures = self._send(batch)
            with self._lock:
                if not self._buffer.settle(batch):
                    return  # abandoned meanwhile: its rows were refused already
            self._tally.add_written(len(batch.rows) - len(failures))
            if failures:
                self._tally.bury([_describe_refusal(one, batch) for one in failures])
            with self._lock:
                self._wake()
            del batch, failures  # a waiting thread must not hold rows

    def _next(self) -> Batch | None:
        """Wait until a batch is due and take it; return None when there will be none any more."""
        with self._lock:
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
