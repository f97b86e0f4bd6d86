"""Buffer: rows that wait, and when they are due; decides, and neither waits nor locks."""

from __future__ import annotations

import math
from collections import deque

import attrs

from msp_bigquery._rows.row import PreparedRow
from msp_core.errors import UsageError


@attrs.frozen(kw_only=True)
class BufferLimits:
    """When rows are sent, and how many may be kept.

    Attributes:
        max_rows: of one batch.
        max_bytes: of one batch, by weight; a single heavier row is a batch of its own.
        interval: seconds a row waits for others at most.
        max_pending_rows: not yet durable, those being sent included.
        max_pending_bytes: same, by weight; one heavier row is taken when there is no other.
    """

    max_rows: int
    max_bytes: int
    interval: float
    max_pending_rows: int
    max_pending_bytes: int

    def __attrs_post_init__(self) -> None:
        if self.interval < 0 or not 0 < self.max_rows <= self.max_pending_rows:
            raise UsageError("a buffer needs 0 < max_rows <= max_pending_rows, and interval >= 0")
        if not 0 < self.max_bytes <= self.max_pending_bytes:
            raise UsageError("a buffer needs 0 < max_bytes <= max_pending_bytes")


@attrs.frozen(eq=False)
class Batch:
    """Rows that are sent together.

    Attributes:
        rows: at least one.
        first: how many rows the buffer took before them.
        weight: of all rows.
    """

    rows: tuple[PreparedRow, ...]
    first: int
    weight: int


class Buffer:
    """Rows between being taken and being durable.

    Args:
        limits: of batches, and of what is kept.
    """

    def __init__(self, limits: BufferLimits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[PreparedRow, int, float]] = deque()
        self._waiting_bytes = 0
        self._full = False
        self._sent: set[Batch] = set()
        self._pending_bytes = 0
        self.accepted = 0
        self.pending = 0

    @property
    def taken(self) -> int:
        """How many rows it took that no longer wait."""
        return self.accepted - len(self._waiting)

    def add(self, rows: deque[PreparedRow], now: float) -> bool:
        """Take rows from the left, as many as there is room for.

        Args:
            rows: to be sent later.
            now: seconds on any clock that only goes forward.

        Returns:
            Whether a batch is due earlier than it was before.
        """
        limits, waiting, was_idle = self._limits, self._waiting, not self._waiting
        while rows:
            row = rows[0]
            weight = row.weight
            if self.pending and (
                self.pending >= limits.max_pending_rows
                or self._pending_bytes + weight > limits.max_pending_bytes
            ):
                break
            waiting.append((rows.popleft(), weight, now))
            self._waiting_bytes += weight
            self._pending_bytes += weight
            self.pending += 1
            self.accepted += 1
        was_full, self._full = self._full, self._is_full()
        return (was_idle and bool(waiting)) or (self._full and not was_full)

    def due(self, now: float) -> float:
        """Return the seconds until a batch is due, 0 for now, infinite when no row waits."""
        if not self._waiting:
            return math.inf
        if self._full:
            return 0.0
        return max(0.0, self._waiting[0][2] + self._limits.interval - now)

    def take(self) -> Batch | None:
        """Return the oldest rows, which are pending until settled; None when no row waits."""
        if not self._waiting:
            return None
        first, waiting, limits = self.taken, self._waiting, self._limits
        rows: list[PreparedRow] = []
        weight = 0
        while waiting and len(rows) < limits.max_rows:
            row, row_weight, _ = waiting[0]
            if rows and weight + row_weight > limits.max_bytes:
                break
            waiting.popleft()
            rows.append(row)
            weight += row_weight
        self._waiting_bytes -= weight
        self._full = self._is_full()
        batch = Batch(tuple(rows), first, weight)
        self._sent.add(batch)
        return batch

    def settle(self, batch: Batch) -> bool:
        """Forget a batch that was taken; return False when it was forgotten before."""
        if batch not in self._sent:
            return False
        self._sent.remove(batch)
        self._pending_bytes -= batch.weight
        self.pending -= len(batch.rows)
        return True

    def list_unsettled(self) -> tuple[Batch, ...]:
        """Return what was taken and is not settled."""
        return tuple(self._sent)

    def count_settled(self) -> int:
        """Return n such that the first n rows it ever took are no longer pending."""
        return min((batch.first for batch in self._sent), default=self.taken)

    def _is_full(self) -> bool:
        limits = self._limits
        return len(self._waiting) >= limits.max_rows or self._waiting_bytes >= limits.max_bytes
