"""Buffer: when rows are due and how many are kept, decided without a clock or a lock."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._rows.row import PreparedRow
from msp_bigquery._writers.buffer import Buffer, BufferLimits
from msp_core.errors import UsageError


def limits(**given: Any) -> BufferLimits:
    """Return limits, small where nothing is given."""
    defaults: dict[str, Any] = {"max_rows": 3, "max_bytes": 100, "interval": 5.0}
    defaults |= {"max_pending_rows": 6, "max_pending_bytes": 200}
    return BufferLimits(**defaults | given)


def row(weight: int = 1) -> PreparedRow:
    """Return a row of that weight."""
    return PlainRow({}, None, weight)


def add(buffer: Buffer, row: PreparedRow, now: float) -> bool:
    """Give one row; return whether it was taken."""
    rows = deque([row])
    buffer.add(rows, now)
    return not rows


def test_nothing_is_due_in_an_empty_buffer() -> None:
    """Threads wait without a timeout while there is nothing to send."""
    buffer = Buffer(limits())

    assert buffer.due(0.0) == math.inf
    assert buffer.take() is None


def test_the_oldest_row_decides_when_a_batch_is_due() -> None:
    """Later rows do not put it off."""
    buffer = Buffer(limits())
    add(buffer, row(), 10.0)
    add(buffer, row(), 12.0)

    assert buffer.due(12.0) == 3.0
    assert buffer.due(20.0) == 0.0


@pytest.mark.parametrize("weights", [[1, 1, 1], [60, 40], [100]])
def test_enough_rows_or_bytes_are_due_at_once(weights: list[int]) -> None:
    """A full batch waits for no interval."""
    buffer = Buffer(limits())
    for weight in weights:
        add(buffer, row(weight), 0.0)

    assert buffer.due(0.0) == 0.0


def test_a_batch_stays_within_its_limits() -> None:
    """Rows go in order; a heavy one is a batch of its own."""
    buffer = Buffer(limits(max_pending_bytes=1000, max_pending_rows=7))
    for weight in (60, 60, 40, 150, 1, 1, 1):
        add(buffer, row(weight), 0.0)
    batches = [batch for _ in range(4) if (batch := buffer.take())]
    weights = [[one.weight for one in batch.rows] for batch in batches]

    assert weights == [[60], [60, 40], [150], [1] * 3]
    assert [batch.first for batch in batches] == [0, 1, 3, 4]


def test_what_is_being_sent_takes_room() -> None:
    """Only rows that are settled make room."""
    buffer = Buffer(limits())
    taken = [add(buffer, row(), 0.0) for _ in range(8)]
    batch = buffer.take()
    assert batch

    assert taken == [True] * 6 + [False] * 2
    assert not add(buffer, row(), 0.0)
    assert buffer.settle(batch)
    assert not buffer.settle(batch)
    assert add(buffer, row(), 0.0)
    assert buffer.pending == 4


def test_tells_when_somebody_has_to_look_again() -> None:
    """Of the first row, whose interval begins, and of a full batch: once, and not of each row."""
    buffer = Buffer(limits())
    told = [buffer.add(deque([row()]), 0.0) for _ in range(5)]

    assert told == [True, False, True, False, False]

    buffer.take()
    assert [buffer.add(deque([row()]), 0.0) for _ in range(3)] == [True, False, False]
    assert not Buffer(limits()).add(deque(), 0.0)
    assert Buffer(limits(max_bytes=1)).add(deque([row()]), 0.0)


def test_takes_rows_from_the_left_while_there_is_room() -> None:
    """What is left over stays with the caller."""
    buffer, rows = Buffer(limits()), deque(row(weight) for weight in range(1, 9))
    buffer.add(rows, 0.0)

    assert [one.weight for one in rows] == [7, 8]
    assert buffer.pending == buffer.accepted == 6


def test_bytes_take_room_too() -> None:
    """A row heavier than all the room is taken only when it is alone: else it would never be."""
    heavy, full = Buffer(limits()), Buffer(limits())

    assert add(heavy, row(500), 0.0)
    assert not add(heavy, row(1), 0.0)
    assert [add(full, row(weight), 0.0) for weight in (150, 50, 1)] == [True, True, False]


def test_settled_counts_from_the_start() -> None:
    """Flushing waits for the oldest row, whichever batch ends first."""
    buffer = Buffer(limits())
    for _ in range(5):
        add(buffer, row(), 0.0)
    first, second = buffer.take(), buffer.take()
    assert first
    assert second

    buffer.settle(second)
    assert buffer.count_settled() == 0
    buffer.settle(first)
    assert buffer.count_settled() == 5
    assert buffer.list_unsettled() == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_rows": 0},
        {"max_rows": 7},
        {"interval": -1.0},
        {"max_bytes": 0},
        {"max_bytes": 201},
    ],
)
def test_limits_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    """A buffer that could never send, or never take, is a mistake of the caller."""
    with pytest.raises(UsageError, match="a buffer needs"):
        limits(**wrong)


@pytest.mark.parametrize(
    "least", [{"max_rows": 1}, {"max_rows": 6}, {"interval": 0.0}, {"max_bytes": 1}]
)
def test_limits_may_be_as_small_as_they_can(least: dict[str, Any]) -> None:
    """A row of its own for each request, or no wait, is somebody's choice."""
    buffer = Buffer(limits(**least))
    add(buffer, row(), 5.0)

    assert buffer.due(5.0) == (5.0 if least == {"max_rows": 6} else 0.0)
    assert limits(max_bytes=200).max_bytes == 200


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "settle"]), st.integers(1, 120))))
def test_counts_add_up(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, no row is forgotten or counted twice."""
    buffer, sent = Buffer(limits()), []
    for step, number in steps:
        if step == "add":
            add(buffer, row(number), 0.0)
        elif step == "take" and (batch := buffer.take()):
            sent.append(batch)
        elif step == "settle" and sent:
            buffer.settle(sent.pop(number % len(sent)))
        on_the_way = sum(len(batch.rows) for batch in sent)
        waiting = buffer.accepted - buffer.taken

        assert buffer.pending == on_the_way + waiting <= 6
        assert buffer._pending_bytes == sum(
            one.weight for batch in sent for one in batch.rows
        ) + sum(weight for _, weight, _ in buffer._waiting)
        assert buffer._waiting_bytes == sum(weight for _, weight, _ in buffer._waiting)
        assert buffer.count_settled() <= buffer.taken
