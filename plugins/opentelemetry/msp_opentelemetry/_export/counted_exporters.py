"""Exporters that count what they exported. Imports the SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.metrics import Counter, Meter, NoOpCounter
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class CountedSpanExporter(SpanExporter):
    """Exports spans through another exporter, and counts them.

    Attributes:
        exported: spans that were given to it, whether they arrived or not.
    """

    def __init__(self, exporter: SpanExporter, meter: Meter) -> None:
        self._exporter = exporter
        self.exported = 0
        self._exported = meter.create_counter(
            "otel.trace.exported_span.count", description="Spans that were exported, or not."
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans."""
        self.exported += len(spans)
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            succeeded = result is SpanExportResult.SUCCESS
            self._exported.add(len(spans), {"succeeded": succeeded})
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


class CountedMetricExporter(MetricExporter):
    """Exports metrics through another exporter, and counts them."""

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__(
            preferred_temporality=exporter._preferred_temporality,  # noqa: SLF001 - readers take it from there
            preferred_aggregation=exporter._preferred_aggregation,  # noqa: SLF001 - same
        )
        self._exporter = exporter
        self._exported: Counter = NoOpCounter("not counted yet")

    def count_with(self, meter: Meter) -> None:
        """Count from now on; the meter's provider needs the exporter first."""
        self._exported = meter.create_counter(
            "otel.metric.exported.count", description="Metrics that were exported, or not."
        )

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **kwargs: Any,  # noqa: ANN401 - the SDK's signature
    ) -> MetricExportResult:
        """Export the metrics."""
        amount = sum(
            len(scope.metrics)
            for resource in metrics_data.resource_metrics
            for scope in resource.scope_metrics
        )
        result = MetricExportResult.FAILURE
        try:
            result = self._exporter.export(metrics_data, timeout_millis, **kwargs)
        finally:
            succeeded = result is MetricExportResult.SUCCESS
            self._exported.add(amount, {"succeeded": succeeded})
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return whether the exporter holds nothing back."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's signature
        """Shut the exporter down."""
        self._exporter.shutdown(timeout_millis, **kwargs)
