"""Pace: how often telemetry is sent."""

from __future__ import annotations

import attrs

from msp_core.contract import Contract
from msp_core.platforms import Platform
from msp_opentelemetry._config import OpenTelemetryConfig


@attrs.frozen(kw_only=True)
class Pace:
    """Milliseconds between two exports.

    Attributes:
        spans: that have ended.
        metrics: all of them.
    """

    spans: int
    metrics: int

    @classmethod
    def of(cls, config: OpenTelemetryConfig, contract: Contract) -> Pace:
        """Return what the variables say; else at once on a laptop, where somebody is looking."""
        laptop = not contract.msp and contract.platform is Platform.LOCAL
        default = cls(spans=200, metrics=1_000) if laptop else cls(spans=5_000, metrics=30_000)
        return cls(
            spans=config.span_queue.delay or default.spans,
            metrics=config.metrics.interval or default.metrics,
        )
