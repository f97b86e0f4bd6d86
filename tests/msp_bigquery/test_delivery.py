"""Delivery: what is sent when, after each kind of failure."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

import attrs
import pytest

from msp_bigquery._delivery.delivery import Delivery, DeliveryError
from msp_bigquery._delivery.patience import Patience, Stop
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._rows.row import PreparedRow, prepare


class Counting(Patience):
    """Pauses three times, in no time."""

    def __init__(self) -> None:
        super().__init__(Stop())
        self.failures: list[int] = []

    def wait(self, failures: int) -> bool:
        """Note how many failures there were."""
        self.failures.append(failures)
        return len(self.failures) < 3


@attrs.frozen
class Table:
    """Takes `most` rows at once, none with `n` 3, and none at all while there is an error.

    What holds a row of `poison` is refused as a whole.
    """

    most: int = 10
    error: Exception | None = None
    poison: Collection[int] = ()
    sent: list[list[int]] = attrs.field(factory=list)
    taken: list[int] = attrs.field(factory=list)
    max_rows = max_bytes = 1000

    def form(self, row: Any, insert_id: str | None) -> PlainRow:
        """Return a row ready to be sent."""
        return PlainRow.of(row, insert_id)

    def shipment(self, rows: Sequence[PreparedRow]) -> Shipment:
        """Return rows ready to be sent."""
        return Shipment(self, [row.values["n"] for row in rows])

    def close(self) -> None:
        """Do nothing."""


@attrs.frozen
class Shipment:
    """Rows of one request."""

    table: Table
    numbers: list[int]

    def send(self, timeout: float) -> Sequence[Failure]:
        """Try once."""
        assert timeout == 10.0
        if self.table.error:
            raise self.table.error
        self.table.sent.append(self.numbers)
        if len(self.numbers) > self.table.most:
            raise _TooLargeError
        if not set(self.table.poison).isdisjoint(self.numbers):
            raise ValueError("hunter2")
        self.table.taken.extend(self.numbers)
        return [Failure(index=self.numbers.index(3), reasons=("no",))] if 3 in self.numbers else []


class _TooLargeError(Exception):
    code = 413


class _DeniedError(Exception):
    code = 403


def deliver(
    table: Table, patience: Patience, rows: int, *, denied_passes: bool = False
) -> tuple[Failure, ...]:
    """Deliver rows with `n` from 0."""
    return deliver_by(Delivery("t", table), patience, rows, denied_passes=denied_passes)


def deliver_by(
    delivery: Delivery, patience: Patience, rows: int, *, denied_passes: bool
) -> tuple[Failure, ...]:
    """Deliver rows with `n` from 0 by this delivery."""
    prepared = prepare([{"n": number} for number in range(rows)], PlainRow.of, None)
    return delivery.deliver(prepared, patience, denied_passes=denied_passes)


@pytest.mark.parametrize(
    ("error", "denied_passes", "waits"),
    [
        (ConnectionError(), False, True),
        (ConnectionError(), True, True),
        (_DeniedError(), False, False),
        (_DeniedError(), True, True),
        (ValueError(), False, False),
        (ValueError(), True, False),
    ],
    ids=repr,
)
def test_waits_for_what_may_pass(error: Exception, *, denied_passes: bool, waits: bool) -> None:
    """A missing right only where somebody may grant it meanwhile; pauses grow from the first."""
    patience, delivery = Counting(), Delivery("t", Table(error=error))
    with pytest.raises(DeliveryError) as caught:
        deliver_by(delivery, patience, 1, denied_passes=denied_passes)

    assert patience.failures == ([1, 2, 3] if waits else [])
    assert caught.value.timed_out is waits
    # A bad request is no outage.
    assert bool(delivery.outage.current()) is not isinstance(error, ValueError)


def test_what_is_too_large_is_halved_until_it_fits() -> None:
    """In order; a refused row keeps its place, and no half is a failure."""
    table, patience = Table(most=2), Counting()

    assert [failure.index for failure in deliver(table, patience, 5)] == [3]
    assert table.sent == [[0, 1, 2, 3, 4], [0, 1], [2, 3, 4], [2], [3, 4]]
    assert not patience.failures


def test_a_single_row_that_is_too_large_is_refused() -> None:
    """The others are written."""
    failures = deliver(Table(most=0), Counting(), 2)

    assert [failure.index for failure in failures] == [0, 1]
    assert {failure.reasons for failure in failures} == {("too large for one request",)}


@pytest.mark.parametrize(
    "poison", [{4}, {499}, {4, 5, 77, 300, 499}, set(range(100, 130))], ids=len
)
def test_rows_that_spoil_their_request_keep_no_other_out(poison: set[int]) -> None:
    """A request that is refused as a whole is halved; each bad row is named, in order."""
    table, patience = Table(most=500, poison=poison), Counting()
    failures = deliver(table, patience, 500)

    assert [one.index for one in failures] == sorted(poison | {3})
    assert {one.reasons for one in failures if one.index != 3} == {("ValueError",)}
    assert table.taken == [number for number in range(500) if number not in poison]
    assert not patience.failures


def test_one_bad_row_costs_few_requests() -> None:
    """Two for each halving."""
    table = Table(most=500, poison={250})
    deliver(table, Counting(), 500)

    assert len(table.sent) == 1 + 2 * 8


def test_a_refusal_that_no_row_is_to_blame_for_costs_few_requests() -> None:
    """Halving ends when nothing comes of it: rows are many, and so are batches."""
    table = Table(most=500, poison=range(500))
    delivery = Delivery("t", table)
    with pytest.raises(DeliveryError, match="ValueError") as caught:
        deliver_by(delivery, Counting(), 500, denied_passes=True)

    assert len(table.sent) == 1 + 2 * 20
    assert not caught.value.timed_out
    assert delivery.outage.current() is None


def test_bad_rows_among_good_ones_are_all_found() -> None:
    """As long as halves are taken, halving goes on, however many rows are bad."""
    poison = set(range(0, 500, 10))
    table = Table(most=500, poison=poison)

    assert [one.index for one in deliver(table, Counting(), 500)] == sorted(poison | {3})
    assert len(table.taken) == 450


@pytest.mark.parametrize(
    ("error", "denied_passes", "then"),
    [
        (ConnectionError(), False, "; it is tried again"),
        (_DeniedError(), True, "; it is tried again"),
        (_DeniedError(), False, ""),
    ],
    ids=repr,
)
def test_the_log_says_tried_again_only_where_it_is(
    error: Exception, *, denied_passes: bool, then: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A missing right is an error at once for who waits for rows, and an outage for a buffer."""
    with pytest.raises(DeliveryError) as caught:
        deliver(Table(error=error), Counting(), 1, denied_passes=denied_passes)

    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage() == f"writing to table 't' fails: {caught.value}{then}"
