"""Waiting: measures those who ask a pool for a connection."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import attrs

from msp_cloudsql._telemetry.pool_metrics import POOL_NAME, PoolMetrics
from msp_cloudsql._telemetry.tracing import Tracing


@attrs.frozen(kw_only=True)
class Waiting:
    """Who observes the wait.

    Attributes:
        database: of the pool.
        tracing: makes a span of each wait; None for none.
        metrics: record how long it took; None without.
    """

    database: str
    tracing: Tracing | None
    metrics: PoolMetrics | None

    @contextmanager
    def measure(self, stats: Mapping[str, int]) -> Iterator[None]:
        """Measure getting a connection; a span only when none is there to be had at once.

        Args:
            stats: of the pool, before.
        """
        began = time.perf_counter()
        with ExitStack() as stack:
            if self.tracing and not stats["pool_available"]:
                known = {"db.namespace": self.database, POOL_NAME: self.database}
                stack.enter_context(self.tracing.span("WAIT", known, telling=True))
            yield
        if self.metrics:
            self.metrics.add_wait(self.database, time.perf_counter() - began)
