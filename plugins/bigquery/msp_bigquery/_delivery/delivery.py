"""Delivery: gets rows into a table, with retries; the same for both ways into BigQuery."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import attrs

from msp_bigquery._delivery.patience import Patience
from msp_bigquery._delivery.trouble import Trouble, TroubleKind
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.row import PreparedRow
from msp_core.authoring import Outage

logger = logging.getLogger("msp.bigquery")


class Shipment(Protocol):
    """Rows that are sent until they are durable; remembers what must not be written twice."""

    def send(self, timeout: float) -> Sequence[Failure]:
        """Try once; return the rows that BigQuery refuses for good, the others are durable.

        Args:
            timeout: seconds it may take.

        Raises:
            Exception: what the vendor's library raises; none of the rows is known to be durable.
        """
        ...


class Transport(Protocol):
    """One way into one table.

    Attributes:
        max_rows: rows of one request.
        max_bytes: bytes of one request, by the rows' weight.
    """

    @property
    def max_rows(self) -> int: ...
    @property
    def max_bytes(self) -> int: ...

    def shipment(self, rows: Sequence[PreparedRow]) -> Shipment:
        """Return rows ready to be sent; sends nothing."""
        ...

    def close(self) -> None:
        """Close what it opened; what is being sent fails."""
        ...


class DeliveryError(Exception):
    """The rows are not known to be durable.

    Attributes:
        trouble: of the last attempt.
        timed_out: whether another attempt might have done.
    """

    def __init__(self, trouble: Trouble, *, timed_out: bool) -> None:
        self.trouble = trouble
        self.timed_out = timed_out
        super().__init__(trouble.text)


@attrs.frozen
class Delivery:
    """Gets rows into one table.

    Attributes:
        table: its own name.
        transport: the way.
        outage: of the table, told what happens.
    """

    table: str
    transport: Transport
    outage: Outage = attrs.field(init=False)

    @outage.default
    def _make_outage(self) -> Outage:
        return Outage(f"writing to table {self.table!r}", logger)

    def deliver(
        self, rows: Sequence[PreparedRow], patience: Patience, *, denied_passes: bool
    ) -> tuple[Failure, ...]:
        """Send until all rows are durable, but for those that BigQuery refuses for good.

        Args:
            rows: those of one request, at least one.
            patience: how long to try.
            denied_passes: whether to wait for missing rights and tables, too.

        Returns:
            The refused rows.

        Raises:
            DeliveryError: no attempt made them durable, and there is to be no other.
        """
        shipment, failures = self.transport.shipment(rows), 0
        while True:
            trouble = self._attempt(shipment, patience)
            if not isinstance(trouble, Trouble):
                return trouble
            if trouble.kind is TroubleKind.TOO_LARGE:
                return self._parts(rows, patience, denied_passes=denied_passes)
            failures += 1
            passing = trouble.kind is TroubleKind.PASSING or (
                trouble.kind is TroubleKind.DENIED and denied_passes
            )
            if not passing or not patience.wait(failures):
                raise DeliveryError(trouble, timed_out=passing)

    def _attempt(self, shipment: Shipment, patience: Patience) -> tuple[Failure, ...] | Trouble:
        try:
            failures = tuple(shipment.send(patience.attempt()))
        except Exception as error:  # noqa: BLE001 - judged, whatever the libraries raise
            trouble = Trouble.of(error)
            if trouble.kind in (TroubleKind.PASSING, TroubleKind.DENIED):
                self.outage.begin(trouble.text)
            return trouble
        self.outage.end()
        return failures

    def _parts(
        self, rows: Sequence[PreparedRow], patience: Patience, *, denied_passes: bool
    ) -> tuple[Failure, ...]:
        if len(rows) == 1:
            return (Failure(index=0, reasons=("too large for one request",)),)
        middle = len(rows) // 2
        head = self.deliver(rows[:middle], patience, denied_passes=denied_passes)
        tail = self.deliver(rows[middle:], patience, denied_passes=denied_passes)
        return head + tuple(attrs.evolve(one, index=one.index + middle) for one in tail)
