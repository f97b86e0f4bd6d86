"""BufferedWriter: takes rows at once, bounds its memory, loses nothing without a word."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from msp_bigquery import (
    JSON,
    BufferFullError,
    Counts,
    DeadLetter,
    DeadLetters,
    RowValueError,
    WriterClosedError,
)
from msp_bigquery._delivery.delivery import Delivery
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._rows.row import PreparedRow
from msp_bigquery._writers.buffer import BufferLimits
from msp_bigquery._writers.buffered_writer import BufferedWriter
from msp_bigquery._writers.outbox import Outbox
from msp_bigquery._writers.tally import Tally
from msp_core.deadline import Deadline
from tests.msp_bigquery.conftest import Opening
from tests.msp_bigquery.rest_server import RestServer, failing, refusing, spoiled_by, written


class Way:
    """A transport that fails while it is told to, and hangs while it is closed."""

    max_rows, max_bytes = 100, 10_000

    def __init__(self) -> None:
        self.fails = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.tried = threading.Semaphore(0)
        self.batches: list[list[int]] = []
        self.error: Exception = ConnectionError("down")

    def form(self, row: Any, insert_id: str | None) -> PlainRow:
        return PlainRow.of(row, insert_id)

    def shipment(self, rows: Sequence[PreparedRow]) -> Any:
        way = self

        class Shipment:
            def send(self, timeout: float) -> Sequence[Failure]:
                way.tried.release()
                way.open.wait(30)
                if way.fails.is_set():
                    raise way.error
                way.batches.append([row.values["n"] for row in rows])
                return ()

        return Shipment()

    def close(self) -> None:
        pass

    @property
    def written(self) -> list[int]:
        return sorted(number for batch in self.batches for number in batch)


def writer(
    way: Way,
    buried: list[DeadLetters] | None = None,
    *,
    dead_letter: DeadLetter | None = None,
    senders: int = 2,
    **given: Any,
) -> BufferedWriter:
    """Return a writer with small limits and a long interval."""
    limits: dict[str, Any] = {"max_rows": 3, "max_bytes": 1000, "interval": 3600.0}
    limits |= {"max_pending_rows": 6, "max_pending_bytes": 1_000_000}
    options: dict[str, Any] = {"insert_ids": None, "on_full": "wait", "timeout": 10.0}
    for name, value in given.items():
        (limits if name in limits else options)[name] = value

    def outbox() -> Outbox:
        tally = Tally("t", dead_letter if buried is None else buried.append)
        return Outbox(Delivery("t", way), BufferLimits(**limits), tally, senders=senders)

    return BufferedWriter("t", outbox, **options)


def inside(buffered: BufferedWriter) -> Outbox:
    """Return what the rows of this process wait in."""
    (outbox,) = buffered._outbox.made()
    return outbox


def close(buffered: BufferedWriter, seconds: float = 10.0) -> None:
    """Close as the runtime does."""
    buffered.close(Deadline.after(seconds))


async def test_a_full_batch_goes_off_alone() -> None:
    """Enough rows make a batch; what is over waits for others."""
    way = Way()
    buffered = writer(way)
    await buffered.write(*({"n": n} for n in range(4)))
    await asyncio.to_thread(way.tried.acquire)

    assert not way.tried.acquire(blocking=False)

    await buffered.flush()

    assert sorted(way.batches) == [[0, 1, 2], [3]]
    assert buffered.counts == Counts(accepted=4, written=4, refused=0, pending=0)

    close(buffered)


async def test_the_oldest_row_waits_no_longer_than_the_interval() -> None:
    """A lonely row goes off in time, without anybody asking."""
    way = Way()
    buffered = writer(way, interval=0.05)
    await buffered.write({"n": 1})
    await asyncio.to_thread(way.tried.acquire)
    await buffered.flush()
    await buffered.write({"n": 2})
    await asyncio.to_thread(way.tried.acquire)
    await buffered.flush()

    assert way.batches == [[1], [2]]

    close(buffered)


async def test_a_flush_may_be_given_up() -> None:
    """A caller with a limit of its own leaves nothing behind."""
    way = Way()
    way.open.clear()
    buffered = writer(way)
    await buffered.write({"n": 1})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await buffered.flush()
    way.open.set()
    await buffered.flush()

    assert way.written == [1]
    assert not inside(buffered)._flushes

    close(buffered)


async def test_counts_begin_at_nothing() -> None:
    """Before the first row nothing exists that could count."""
    buffered = writer(Way())

    assert buffered.counts == Counts(accepted=0, written=0, refused=0, pending=0)
    close(buffered)
    with pytest.raises(WriterClosedError, match="the service has stopped"):
        await buffered.write({"n": 1})


async def test_flush_with_nothing_to_send_returns() -> None:
    """Whoever flushes without need waits for nothing, before and after closing."""
    way = Way()
    buffered = writer(way)
    await buffered.flush()
    close(buffered)
    await buffered.flush()

    assert not way.batches


async def test_stop_sends_what_is_left(opened: Opening) -> None:
    """The runtime closes BigQuery, and with it every buffer; no row is lost."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            buffered = bigquery.table_writer("t").buffered(interval=3600)
            await buffered.write(*({"n": n} for n in range(1200)))
            counts = buffered.counts

        assert counts.accepted == 1200
        assert sorted(row["n"] for row in server.rows) == list(range(1200))
        with pytest.raises(WriterClosedError):
            await buffered.write({"n": 1})


async def test_a_full_buffer_makes_writers_wait() -> None:
    """While BigQuery is away memory stays bounded; writers go on once it is back."""
    way = Way()
    way.open.clear()
    buffered = writer(way)
    await buffered.write(*({"n": n} for n in range(6)))
    late = [asyncio.create_task(buffered.write({"n": n})) for n in range(6, 20)]
    threads = [
        threading.Thread(target=buffered.write_sync, args=({"n": n},)) for n in range(20, 24)
    ]
    for thread in threads:
        thread.start()
    await asyncio.sleep(0)

    assert not any(task.done() for task in late)
    assert buffered.counts.pending == 6

    way.open.set()
    await asyncio.gather(*late)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await asyncio.to_thread(buffered.flush_sync)

    assert way.written == list(range(24))

    close(buffered)


async def test_waiting_for_room_ends() -> None:
    """A caller learns how much was taken, instead of waiting for ever; later ones are not stuck."""
    way = Way()
    way.open.clear()
    buffered = writer(way, timeout=0.05)
    rows = [{"n": n} for n in range(8)]
    with pytest.raises(BufferFullError, match=r"no room for 2 of 8 rows within 0\.05 s") as caught:
        await buffered.write(*rows)
    with pytest.raises(BufferFullError, match="no room for 1 of 1"):
        await asyncio.to_thread(buffered.write_sync, {"n": 9})

    assert caught.value.accepted == 6
    assert isinstance(caught.value, TimeoutError)
    assert not inside(buffered)._room

    way.open.set()
    await buffered.flush()

    assert way.written == list(range(6))

    close(buffered)


async def test_a_cancelled_writer_leaves_nothing_behind() -> None:
    """A request that was given up while it waited for room is forgotten."""
    way = Way()
    way.open.clear()
    buffered = writer(way)
    await buffered.write(*({"n": n} for n in range(6)))
    waiting = asyncio.create_task(buffered.write({"n": 7}))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert not inside(buffered)._room

    way.open.set()
    await buffered.flush()
    close(buffered)


async def test_refusing_instead_of_waiting_slows_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Where answers matter more than rows, rows too many are counted and logged, in few lines."""
    way = Way()
    way.open.clear()
    buffered = writer(way, on_full="refuse")
    for n in range(500):
        await buffered.write({"n": n})
    counts = buffered.counts
    lines = [one.getMessage() for one in caplog.records]

    assert (counts.accepted, counts.refused) == (6, 494)
    assert lines == ["table 't': 1 rows were refused and are lost, such as: the buffer was full"]

    way.open.set()
    await asyncio.to_thread(close, buffered)

    assert caplog.records[-1].getMessage() == "table 't': 493 rows were refused and are lost"


async def test_an_outage_is_one_warning_and_loses_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Batches are tried again until BigQuery takes them, however many fail meanwhile."""
    caplog.set_level(logging.INFO, "msp.bigquery")
    way = Way()
    way.fails.set()
    buffered = writer(way, senders=4, max_rows=1)
    await buffered.write(*({"n": n} for n in range(6)))
    for _ in range(6):
        await asyncio.to_thread(way.tried.acquire)
    way.fails.clear()
    await buffered.flush()

    assert way.written == list(range(6))
    assert caplog.records[0].levelname == "WARNING"
    assert len(caplog.records) <= 3  # a batch that failed meanwhile may say once more that it does

    close(buffered)


async def test_a_missing_table_is_waited_for(opened: Opening) -> None:
    """Who creates the table later finds the rows in it: the buffer keeps them meanwhile."""
    with RestServer(failing(404), failing(403), written) as server:
        async with opened(server.url) as bigquery:
            buffered = bigquery.table_writer("t").buffered(interval=0)
            await buffered.write({"n": 1})
            await buffered.flush()

            assert buffered.counts.written == 1
    assert len(server.bodies) == 3


async def test_refused_rows_go_to_the_dead_letter_function(opened: Opening) -> None:
    """Rows that BigQuery refuses for good are handed over with values; the others are written."""
    buried: list[DeadLetters] = []
    with RestServer(refusing({1: [{"reason": "invalid", "location": "n"}]})) as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("t", dead_letter=buried.append)
            buffered = writer.buffered(interval=3600)
            await buffered.write({"n": 1}, {"n": "x"}, {"n": 3})
            await buffered.flush()

            assert buffered.counts == Counts(accepted=3, written=2, refused=1, pending=0)
    (letters,) = buried
    (row,) = letters.rows
    assert (row.number, row.values, row.reasons) == (None, {"n": "x"}, ("invalid (column 'n')",))


async def test_one_row_that_spoils_its_request_is_lost_alone(opened: Opening) -> None:
    """BigQuery answers 400 for 500 rows because of one: the 499 others are written."""
    buried: list[DeadLetters] = []
    with RestServer(spoiled_by("bad")) as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("t", insert_ids=True, dead_letter=buried.append)
            buffered = writer.buffered(interval=3600)
            rows = [{"n": n} if n != 123 else {"bad": n} for n in range(500)]
            await buffered.write(*rows)
            await buffered.flush()

            assert buffered.counts == Counts(accepted=500, written=499, refused=1, pending=0)
        taken = [
            body for body in server.bodies if not any("bad" in r["json"] for r in body["rows"])
        ]
    assert sorted(row["json"]["n"] for body in taken for row in body["rows"]) == [
        n for n in range(500) if n != 123
    ]
    (row,) = (row for letters in buried for row in letters.rows)
    assert (row.values, row.reasons) == ({"bad": 123}, ("BadRequest (400, invalid)",))


async def test_rows_that_no_column_could_hold_are_lost_alone(opened: Opening) -> None:
    """A moment before year 1, a text without UTF-8: 498 rows of 500 arrive, the two are told of."""
    buried: list[DeadLetters] = []
    early = dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("t", dead_letter=buried.append)
            buffered = writer.buffered(interval=3600)
            rows: list[dict[str, Any]] = [{"n": n} for n in range(500)]
            rows[7] |= {"at": early}
            rows[499] |= {"data": JSON({"agent": "\ud800"})}
            await buffered.write(*rows)
            await buffered.flush()

            assert buffered.counts == Counts(accepted=500, written=498, refused=2, pending=0)
    assert sorted(row["n"] for row in server.rows) == [n for n in range(500) if n not in (7, 499)]
    assert len(server.bodies) == 1
    assert {row.values["n"]: row.reasons for letters in buried for row in letters.rows} == {
        7: ("column 'at' is outside of the years 1 to 9999 in UTC",),
        499: ("column 'data' holds a lone surrogate, which no text has",),
    }


async def test_a_batch_that_is_refused_as_a_whole_is_not_lost_silently() -> None:
    """What no retry can mend goes to the dead-letter function, row by row."""
    way, buried = Way(), list[DeadLetters]()
    way.fails.set()
    way.error = ValueError("hunter2")
    buffered = writer(way, buried)
    await buffered.write({"n": 1}, {"n": 2})
    await buffered.flush()

    assert [row.reasons for row in buried[0].rows] == [("ValueError",)] * 2

    close(buffered)


async def test_a_failing_dead_letter_function_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its error is logged with the number of rows, and the next batch goes off."""
    way = Way()
    way.fails.set()
    way.error = ValueError()

    def fail(_: DeadLetters) -> None:
        raise LookupError("no shelf")

    buffered = writer(way, dead_letter=fail)
    await buffered.write({"n": 1})
    await buffered.flush()
    way.fails.clear()
    await buffered.write({"n": 2})
    await buffered.flush()

    assert way.written == [2]
    assert "the dead-letter function failed, 1 rows are lost" in caplog.text

    close(buffered)


async def test_what_cannot_be_sent_in_time_is_handed_over() -> None:
    """At the deadline every row that is not durable goes to the dead-letter function, once."""
    way, buried = Way(), list[DeadLetters]()
    way.open.clear()
    buffered = writer(way, buried, senders=1)
    await buffered.write(*({"n": n} for n in range(5)))
    await asyncio.to_thread(way.tried.acquire)
    await asyncio.to_thread(close, buffered, 0.05)
    threads = tuple(inside(buffered)._threads)
    way.open.set()
    for thread in threads:
        await asyncio.to_thread(thread.join, 10)

    said = {
        row.values["n"]: row.reasons[0].split(" when ")[0] for one in buried for row in one.rows
    }
    assert [said[n] for n in range(3)] == ["not known to be written"] * 3
    assert [said[n] for n in range(3, 5)] == ["not sent before the service stopped"] * 2
    assert buffered.counts.pending == 0
    assert buffered.counts.refused == 5


async def test_closing_hurries_those_who_pause() -> None:
    """A batch that waits for its next attempt is tried at once when the service stops."""
    way = Way()
    way.fails.set()
    buffered = writer(way, senders=1)
    await buffered.write({"n": 1}, {"n": 2}, {"n": 3})
    for _ in range(5):
        await asyncio.to_thread(way.tried.acquire)
    way.fails.clear()
    await asyncio.to_thread(close, buffered)

    assert way.written == [1, 2, 3]


async def test_a_writer_that_waits_learns_of_the_end() -> None:
    """Nobody waits for room in a closed buffer."""
    way = Way()
    way.open.clear()
    buffered = writer(way, [])
    await buffered.write(*({"n": n} for n in range(6)))
    waiting = asyncio.create_task(buffered.write({"n": 6}))
    await asyncio.sleep(0)
    await asyncio.to_thread(close, buffered, 0)
    with pytest.raises(WriterClosedError):
        await waiting
    way.open.set()


async def test_a_cancelled_close_hands_over_at_once(opened: Opening) -> None:
    """When the runtime's deadline is over, what is left is not lost silently."""
    buried: list[DeadLetters] = []
    with RestServer() as server:
        server.answers[0] = server.hang
        opening = opened(server.url)
        bigquery = await opening.__aenter__()
        buffered = bigquery.table_writer("t", dead_letter=buried.append).buffered(interval=0)
        await buffered.write({"n": 1})
        await asyncio.to_thread(server.asked.acquire)
        leaving = asyncio.create_task(opening.__aexit__(None, None, None))
        await asyncio.to_thread(inside(buffered)._stop.hurried.wait)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving

    assert [row.values for letters in buried for row in letters.rows] == [{"n": 1}]


async def test_an_unfit_row_takes_no_room() -> None:
    """A row that no retry can mend is the caller's to know of, before anything is taken."""
    buffered = writer(Way())
    with pytest.raises(RowValueError):
        await buffered.write({"n": 1}, {"n": object()})

    assert buffered.counts.accepted == 0
