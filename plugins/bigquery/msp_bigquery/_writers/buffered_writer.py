"""BufferedWriter: takes rows at once and writes them in batches, in threads of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from msp_bigquery._rows.insert_ids import InsertIds
from msp_bigquery._rows.row import Form, PreparedRow, prepare
from msp_bigquery._writers.outbox import CLOSED, Outbox
from msp_bigquery._writers.tally import Counts
from msp_bigquery.errors import BufferFullError, WriterClosedError
from msp_core.authoring import PerProcess
from msp_core.deadline import Deadline
from msp_core.errors import UsageError

OnFull = Literal["wait", "refuse"]


class BufferedWriter:
    """Writes rows to one table in batches; `TableWriter.buffered` makes one.

    `write` returns once the rows are in memory. A batch goes off when it has enough rows or
    bytes, or its oldest row has waited long enough, and is tried again until BigQuery takes it.
    Memory is bounded: when too many rows are not yet durable, writing waits. Rows that BigQuery
    refuses, and what could not be sent before the service stopped, go to the dead-letter function.
    May be used from any thread and event loop; the order of rows is not kept. The child of a fork
    starts with an empty buffer, and its parent sends what was in its own.

    Args:
        table: its name.
        outbox: () -> what the rows of this process wait in.
        insert_ids: gives ids to rows without one; None when they are to have none.
        on_full: `wait` for room, or `refuse` rows at once, which then count as refused.
        timeout: seconds to wait for room.
    """

    def __init__(
        self,
        table: str,
        outbox: Callable[[], Outbox],
        *,
        insert_ids: InsertIds | None,
        on_full: OnFull,
        timeout: float,
    ) -> None:
        self._table = table
        self._outbox = PerProcess(outbox, closed=_closed_error)
        self._insert_ids = insert_ids
        self._wait = on_full == "wait"
        self._timeout = timeout

    @property
    def counts(self) -> Counts:
        """What became of the rows of this process so far."""
        for outbox in self._outbox.made():
            return outbox.counts
        return Counts(accepted=0, written=0, refused=0, pending=0)

    async def write(self, *rows: object) -> None:
        """Take rows; returns when they are in the buffer, not when they are durable.

        Cancelled while it waits for room, it leaves in the buffer what that has taken so far, and
        nobody learns how much that is: the rows may then be written once more by who tries again.

        Args:
            rows: attrs instances, mappings, or `Row`s; at least one.

        Raises:
            UsageError: no row was given.
            RowValueError: a row holds what BigQuery has no type for; none was taken.
            BufferFullError: the buffer had no room in time; says how many rows it took.
            WriterClosedError: the service has stopped.
        """
        outbox, deadline = self._outbox.get(), None
        left = self._prepare(rows, outbox.form)
        while room := outbox.add(left, wait=self._wait):
            deadline = deadline or Deadline.after(self._timeout)
            try:
                async with asyncio.timeout(deadline.remaining()):
                    await asyncio.wrap_future(room)
            except TimeoutError:
                raise self._full_error(left, rows) from None
            finally:
                outbox.forget(room)

    def write_sync(self, *rows: object) -> None:
        """Do the same as `write`, from a thread without an event loop."""
        outbox, deadline = self._outbox.get(), None
        left = self._prepare(rows, outbox.form)
        while room := outbox.add(left, wait=self._wait):
            deadline = deadline or Deadline.after(self._timeout)
            try:
                room.result(deadline.remaining())
            except TimeoutError:
                raise self._full_error(left, rows) from None
            finally:
                outbox.forget(room)

    async def flush(self) -> None:
        """Send all rows taken so far; returns when each is durable or was refused.

        Cancelled, it sends them all the same.
        """
        for outbox in self._outbox.made():
            await asyncio.wrap_future(outbox.ask_flush())

    def flush_sync(self) -> None:
        """Do the same as `flush`, from a thread without an event loop."""
        for outbox in self._outbox.made():
            outbox.ask_flush().result()

    def hurry(self) -> None:
        """Take nothing more, and send what is left without waiting for company."""
        for outbox in self._outbox.close():
            outbox.hurry()

    def close(self, deadline: Deadline) -> None:
        """Send what is left; what is not durable by then is refused."""
        for outbox in self._outbox.close():
            outbox.close(deadline)

    def abandon(self) -> None:
        """Refuse what is not durable, at once."""
        for outbox in self._outbox.close():
            outbox.abandon()

    def _prepare(self, rows: Sequence[object], form: Form) -> deque[PreparedRow]:
        if not rows:
            raise UsageError("no values to insert: write needs at least one row")
        return deque(prepare(rows, form, self._insert_ids))

    def _full_error(
        self, left: Collection[PreparedRow], rows: Collection[object]
    ) -> BufferFullError:
        return BufferFullError(self._table, len(rows) - len(left), len(rows), self._timeout)


def _closed_error() -> Exception:
    return WriterClosedError(CLOSED)
