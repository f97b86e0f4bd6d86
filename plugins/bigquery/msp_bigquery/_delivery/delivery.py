"""Delivery: gets rows into a table, with retries; the same for both ways into BigQuery."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import attrs

from msp_bigquery._delivery.patience import Patience
from msp_bigquery._delivery.trouble import Trouble, TroubleKind
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.row import PreparedRow
from msp_core.authoring import Outage

logger = logging.getLogger("msp.bigquery")

_FINAL = frozenset({TroubleKind.TOO_LARGE, TroubleKind.REFUSED})
# Halvings of refused requests that each request taken allows, and that the first is worth: more
# than the 14 that lead to one row among 10,000, and few where all is refused whatever is in it.
_HOPE = 20


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

    def form(self, row: Any, insert_id: str | None) -> PreparedRow:  # noqa: ANN401 - whatever is given
        """Return a row as it is now, ready to be sent.

        Args:
            row: an attrs instance or a mapping.
            insert_id: None for none.

        Raises:
            RowValueError: it is neither, or holds what BigQuery has no type for.
        """
        ...

    def shipment(self, rows: Sequence[Any]) -> Shipment:
        """Return what sends rows that `form` has made; sends nothing yet."""
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

        What is too large, or refused as a whole, is halved: one bad row must not keep the others
        out.

        Args:
            rows: those of one request, at least one.
            patience: how long to try.
            denied_passes: whether to wait for missing rights and tables, too.

        Returns:
            The refused rows, in order.

        Raises:
            DeliveryError: no attempt made them durable, and there is to be no other.
        """
        unfit = [index for index, row in enumerate(rows) if row.unfit is not None]
        if not unfit:
            return tuple(self._deliver(rows, patience, denied_passes))
        fit = [index for index, row in enumerate(rows) if row.unfit is None]
        failures = [Failure(index=index, reasons=(str(rows[index].unfit),)) for index in unfit]
        found = self._deliver([rows[index] for index in fit], patience, denied_passes)
        failures += [attrs.evolve(one, index=fit[one.index]) for one in found]
        return tuple(sorted(failures, key=lambda failure: failure.index))

    def _deliver(
        self,
        rows: Sequence[PreparedRow],
        patience: Patience,
        denied_passes: bool,  # noqa: FBT001 - passed on
    ) -> list[Failure]:
        parts, failures = deque([range(len(rows))] if rows else []), list[Failure]()
        refused, hope = 0, _HOPE
        while parts:
            part = parts.popleft()
            answer = self._send(rows[part.start : part.stop], patience, denied_passes)
            if not isinstance(answer, Trouble):
                failures += [attrs.evolve(one, index=part[one.index]) for one in answer]
                hope += _HOPE
            elif len(part) > 1 and (answer.kind is TroubleKind.TOO_LARGE or hope > 0):
                middle = len(part) // 2
                parts.extendleft((part[middle:], part[:middle]))
                hope -= answer.kind is TroubleKind.REFUSED
            else:
                failures += _refuse(part, answer)
                refused += len(part) * (answer.kind is TroubleKind.REFUSED)
                if refused == len(rows):  # the fault is in the request, not in one of them
                    raise DeliveryError(answer, timed_out=False)
        return failures

    def _send(
        self,
        rows: Sequence[PreparedRow],
        patience: Patience,
        denied_passes: bool,  # noqa: FBT001 - passed on
    ) -> Sequence[Failure] | Trouble:
        """Send until there is an answer that no other attempt would change."""
        shipment, attempts = self.transport.shipment(rows), 0
        while True:
            attempts += 1
            answer = self._attempt(shipment, patience, denied_passes)
            if not isinstance(answer, Trouble) or answer.kind in _FINAL:
                return answer
            passes = answer.kind is TroubleKind.PASSING or denied_passes
            if not passes or not patience.wait(attempts):
                raise DeliveryError(answer, timed_out=passes)

    def _attempt(
        self,
        shipment: Shipment,
        patience: Patience,
        denied_passes: bool,  # noqa: FBT001 - same
    ) -> Sequence[Failure] | Trouble:
        try:
            failures = shipment.send(patience.attempt())
        except Exception as error:  # noqa: BLE001 - judged, whatever the libraries raise
            trouble = Trouble.of(error)
            if trouble.kind not in _FINAL:
                passes = trouble.kind is TroubleKind.PASSING or denied_passes
                self.outage.begin(trouble.text, retried=passes)
            return trouble
        self.outage.end()
        return failures


def _refuse(part: range, trouble: Trouble) -> list[Failure]:
    """Return what is said about rows that no request took."""
    too_large = trouble.kind is TroubleKind.TOO_LARGE
    reason = "too large for one request" if too_large else trouble.text
    return [Failure(index=index, reasons=(reason,)) for index in part]
