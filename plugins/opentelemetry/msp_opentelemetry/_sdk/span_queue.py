"""SpanQueue: spans that have ended and wait to be exported. Imports the SDK."""

from __future__ import annotations

import logging
import threading

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._export.counted_exporters import CountedSpanExporter

logger = logging.getLogger("msp.opentelemetry")

_NOTHING_MORE = 3000.0  # milliseconds that the SDK asks for, and does not use


class SpanQueue(BatchSpanProcessor):
    """Exports batches in a thread of its own; logs in the end how many spans it dropped.

    No span waits for the queue: one that ends while it is full drops the oldest. The SDK says so
    while it happens, but not how often.

    Args:
        exporter: gets the batches.
        config: of the plugin.
        delay: milliseconds between two exports.
    """

    def __init__(
        self, exporter: CountedSpanExporter, config: OpenTelemetryConfig, *, delay: int
    ) -> None:
        queue = config.span_queue
        batch = min(queue.batch, queue.size)
        super().__init__(exporter, queue.size, delay, batch, _NOTHING_MORE)
        self._exporter = exporter
        self._lock = threading.Lock()
        self._ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span."""
        with self._lock:  # our samplers record no span that they do not keep
            self._ended += 1
        super().on_end(span)

    def shutdown(self) -> None:
        """Export what waits; log how many spans never were."""
        ended = self._ended
        super().shutdown()  # type: ignore[no-untyped-call, unused-ignore]  # untyped there
        dropped = ended - self._exporter.exported
        if dropped > 0:
            logger.warning(
                "%d spans were dropped, more than may wait were made at once: "
                "raise OTEL_BSP_MAX_QUEUE_SIZE",
                dropped,
                extra={"dropped": dropped},
            )
