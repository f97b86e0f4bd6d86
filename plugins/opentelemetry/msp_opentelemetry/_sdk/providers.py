"""The SDK's providers, with what exports. Imports the SDK and the exporters."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TypeVar

from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    ConsoleMetricExporter,
    MetricExporter,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter

from msp_core.errors import MSPError
from msp_opentelemetry._choice import Choice, Destination, Google
from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._export.counted_exporters import CountedMetricExporter, CountedSpanExporter
from msp_opentelemetry._export.exporters import metric_exporter, span_exporter
from msp_opentelemetry._sdk.lean_tracer import LeanTracerProvider, SpanCount
from msp_opentelemetry._sdk.pace import Pace
from msp_opentelemetry._sdk.samplers import make_sampler
from msp_opentelemetry._sdk.span_queue import SpanQueue

logger = logging.getLogger("msp.opentelemetry")

ExporterT = TypeVar("ExporterT")

SELF = "msp/runtime/opentelemetry"
_EXPORT_MILLIS = 3000.0


def make_meter_provider(choice: Choice, resource: Resource, pace: Pace) -> MeterProvider:
    """Return what makes meters, and reads them for whoever gets metrics."""
    readers: list[MetricReader] = []
    if choice.prometheus:
        from msp_opentelemetry._prometheus import prometheus_reader  # noqa: PLC0415 - vendor library: only on a laptop

        readers.append(prometheus_reader())
    exporters: list[MetricExporter] = []
    if "metrics" in choice.console:
        exporters.append(ConsoleMetricExporter(sys.stdout))
    sender = _make_or_warn("metrics", metric_exporter, choice.metrics)
    counted = None if sender is None else CountedMetricExporter(sender)
    if counted is not None:
        exporters.append(counted)
    readers += (
        PeriodicExportingMetricReader(exporter, pace.metrics, _EXPORT_MILLIS)
        for exporter in exporters
    )
    provider = MeterProvider(readers, resource, shutdown_on_exit=False)
    if counted is not None:
        counted.count_with(provider.get_meter(SELF))
    return provider


def make_tracer_provider(
    config: OpenTelemetryConfig, choice: Choice, resource: Resource, pace: Pace, meter: Meter
) -> TracerProvider:
    """Return what makes tracers, and gives their spans to whoever gets them."""
    count = SpanCount()
    meter.create_observable_counter(
        "otel.trace.created_span.count", [count.observe], description="Spans that were created."
    )
    provider = LeanTracerProvider(count, sampler=make_sampler(config), resource=resource)
    exporters: list[SpanExporter] = []
    if "traces" in choice.console:
        exporters.append(ConsoleSpanExporter(out=sys.stdout))
    if (sender := _make_or_warn("traces", span_exporter, choice.traces)) is not None:
        exporters.append(sender)
    for exporter in exporters:
        counted = CountedSpanExporter(exporter, meter)
        provider.add_span_processor(SpanQueue(counted, config, delay=pace.spans))
    return provider


def _make_or_warn(
    signal: str,
    make: Callable[[Destination | Google], ExporterT],
    destination: Destination | Google | None,
) -> ExporterT | None:
    """Return the exporter; None, after a warning, when it cannot be made."""
    if destination is None:
        return None
    try:
        return make(destination)
    except Exception as error:  # noqa: BLE001 - telemetry keeps no service from starting
        # The text of any other error may hold a variable's value, such as a path.
        why = str(error) if isinstance(error, MSPError) else type(error).__name__
        logger.warning("%s are sent nowhere: %s", signal, why)
        return None
