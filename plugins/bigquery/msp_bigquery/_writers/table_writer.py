"""TableWriter: writes rows to one table, and returns when they are durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import attrs

from msp_bigquery._delivery.delivery import Delivery, DeliveryError, Transport
from msp_bigquery._delivery.patience import Patience, Stop
from msp_bigquery._delivery.workers import Workers
from msp_bigquery._refused_row import DeadLetter, Failure, RefusedRow
from msp_bigquery._rows.insert_ids import InsertIds
from msp_bigquery._rows.row import PreparedRow, prepare
from msp_bigquery._writers.buffer import BufferLimits
from msp_bigquery._writers.buffered_writer import BufferedWriter, OnFull
from msp_bigquery._writers.outbox import Outbox
from msp_bigquery._writers.tally import Tally
from msp_bigquery.errors import RowsRefusedError, WriteError, WriterClosedError, WriteTimeoutError
from msp_core.authoring import PerProcess
from msp_core.errors import UsageError


@attrs.frozen(kw_only=True, repr=False)
class TableWriter:
    """Writes rows to one table; `BigQuery.table_writer` makes one.

    Costs little, opens nothing before the first row, and may be used from any thread and event
    loop, and in the child of a fork.

    Attributes:
        table: its name.
        timeout: seconds that a call may take, retries included.
    """

    table: str
    timeout: float
    _delivery: Callable[[], Delivery] = attrs.field(alias="delivery")
    _workers: PerProcess[[], Workers] = attrs.field(alias="workers")
    _stop: PerProcess[[], Stop] = attrs.field(alias="stop")
    _insert_ids: InsertIds | None = attrs.field(alias="insert_ids")
    _dead_letter: DeadLetter | None = attrs.field(alias="dead_letter")
    _keep: Callable[[BufferedWriter], None] = attrs.field(alias="keep")

    async def write(self, *rows: object) -> None:
        """Write rows; returns when all of them are durable.

        Cancelled, it lets a request that is on its way finish, retries included: its rows are
        written all the same. A call that still waits for a thread sends nothing then.

        Args:
            rows: attrs instances, mappings, `Row`s, or what has a `bigquery_row` method; at least
                one. A call with many is sent in several requests.

        Raises:
            UsageError: no row was given.
            RowValueError: a row holds what BigQuery has no type for; none was sent.
            RowsRefusedError: BigQuery refuses some of the rows, and there is no dead-letter
                function to take them; the others are durable.
            WriteTimeoutError: BigQuery did not take the rows in time.
            WriteError: the table does not exist, or may not be written to, or the service stops.
        """
        await asyncio.wrap_future(self._workers.get().submit(self.write_sync, *rows))

    def write_sync(self, *rows: object) -> None:
        """Do the same as `write`, from a thread without an event loop."""
        self._check_open()
        if not rows:
            raise UsageError("no values to insert: write needs at least one row")
        prepared = prepare(rows, self._delivery().transport.form, self._insert_ids)
        refused = self._deliver(prepared)
        if not refused:
            return
        if self._dead_letter is None:
            raise RowsRefusedError(self.table, refused, len(rows))
        Tally(self.table, self._dead_letter).bury(refused)

    def buffered(
        self,
        *,
        max_rows: int = 500,
        max_bytes: int = 1_000_000,
        interval: float = 1.0,
        max_pending_rows: int = 10_000,
        max_pending_bytes: int = 20_000_000,
        on_full: OnFull = "wait",
        senders: int = 4,
    ) -> BufferedWriter:
        """Return a new writer that takes rows at once and writes them in batches.

        Make it once and keep it: it has threads, which the runtime ends. It flushes at stop.

        Args:
            max_rows: rows of a batch, at most.
            max_bytes: bytes of a batch, as they are sent.
            interval: seconds a row waits for others at most.
            max_pending_rows: rows that are not yet durable, at most.
            max_pending_bytes: bytes of those rows, counted likewise, which are what is kept; until
                the Storage Write API knows the table's schema, they take some times that.
            on_full: `wait` for room, `timeout` seconds at most, or `refuse` rows at once, which
                then go to the dead-letter function: what slows nothing down while BigQuery is away.
            senders: batches on their way at once, from 1.

        Raises:
            UsageError: the limits contradict each other, or nobody would send.
            WriterClosedError: the service has stopped.
        """
        self._check_open()
        if senders < 1:
            raise UsageError("a buffer needs at least 1 sender")
        transport = self._delivery().transport
        limits = BufferLimits(
            max_rows=min(max_rows, transport.max_rows),
            max_bytes=min(max_bytes, transport.max_bytes),
            interval=interval,
            max_pending_rows=max_pending_rows,
            max_pending_bytes=max_pending_bytes,
        )

        def outbox() -> Outbox:
            tally = Tally(self.table, self._dead_letter)
            return Outbox(self._delivery(), limits, tally, senders=senders)

        writer = BufferedWriter(
            self.table,
            outbox,
            insert_ids=self._insert_ids,
            on_full=on_full,
            timeout=self.timeout,
        )
        self._keep(writer)
        return writer

    def _check_open(self) -> None:
        if self._stop.get().stopped.is_set():
            raise WriterClosedError("the writer was closed: the service has stopped")

    def _deliver(self, rows: Sequence[PreparedRow]) -> list[RefusedRow]:
        delivery, patience = self._delivery(), Patience(self._stop.get(), self.timeout)
        refused: list[RefusedRow] = []
        done = 0
        for part in requests(rows, delivery.transport):
            try:
                failures = delivery.deliver(part, patience, denied_passes=False)
            except DeliveryError as error:
                raise self._write_error(error, done - len(refused), len(rows)) from None
            refused += [_describe_refused(failure, part, done) for failure in failures]
            done += len(part)
        return refused

    def _write_error(self, error: DeliveryError, durable: int, total: int) -> WriteError:
        text = error.trouble.text
        if not error.timed_out:
            return WriteError(self.table, durable, total, text)
        if self._stop.get().stopped.is_set():
            return WriteError(self.table, durable, total, f"the service stops; last: {text}")
        why = f"gave up after {self.timeout:g} s; last: {text}"
        return WriteTimeoutError(self.table, durable, total, why)


def requests(rows: Sequence[PreparedRow], limits: Transport) -> Iterator[Sequence[PreparedRow]]:
    """Part rows into requests that are not too large, in order."""
    start, weight = 0, 0
    for index, row in enumerate(rows):
        full = index - start == limits.max_rows
        if index > start and (full or weight + row.weight > limits.max_bytes):
            yield rows[start:index]
            start, weight = index, 0
        weight += row.weight
    yield rows[start:]


def _describe_refused(failure: Failure, part: Sequence[PreparedRow], before: int) -> RefusedRow:
    row = part[failure.index]
    return RefusedRow(
        number=before + failure.index + 1,
        reasons=failure.reasons,
        values=row.values,
        insert_id=row.insert_id,
        details=failure.details,
    )
