"""Waiting: measures those who ask a pool for a connection."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import attrs

from msp_cloudsql._telemetry.pool_metrics import PoolMetrics
from msp_cloudsql._telemetry.tracing import Tracing

# Seconds. What is shorter is the pool's own work; what is longer is an attribute of the query that
# waited, and from `_SPAN` on a span that one sees between the others.
_TOLD = 0.001
_SPAN = 0.01


@attrs.frozen(kw_only=True, eq=False)
class Waiting:
    """Who observes the wait.

    Attributes:
        database: of the pool.
        tracing: makes a span of each long wait; None for none.
        metrics: record how long it took; None without.
    """

    database: str
    tracing: Tracing | None
    metrics: PoolMetrics | None

    def measure(self) -> Wait:
        """Return what measures getting one connection, from entering it on."""
        return Wait(self)

    def finish(self, seconds: float, connection: Any, error: BaseException | None) -> None:  # noqa: ANN401 - of either kind
        """Take note of a wait that is over.

        Args:
            seconds: it took.
            connection: that the pool gave; None for none.
            error: that the wait ended with; None for a connection.
        """
        if self.tracing:
            if isinstance(error, Exception) or seconds >= _SPAN:
                self.tracing.note_wait(self.database, seconds, error)
            if connection is not None:
                connection.waited = seconds if seconds >= _TOLD else None
        if self.metrics and error is None:
            self.metrics.add_wait(self.database, seconds)


class Wait:
    """Measures one wait; whoever enters it says in `connection` what the pool gave."""

    __slots__ = ("_began", "_waiting", "connection")

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self.connection: Any = None

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting.finish(time.perf_counter() - self._began, self.connection, error)
