"""Opening telemetry: providers, exporters, and what measures. Imports the SDK."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from msp_core.contract import Contract
from msp_core.platforms import Platform
from msp_opentelemetry._choice import Choice, Google, choose
from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._counted_exporters import CountedMetricExporter, CountedSpanExporter
from msp_opentelemetry._exporters import metric_exporter, span_exporter
from msp_opentelemetry._flush import flush_in_parallel
from msp_opentelemetry._globals import installed
from msp_opentelemetry._google_metadata import detect
from msp_opentelemetry._http import HTTPTelemetry
from msp_opentelemetry._opentelemetry import OpenTelemetry
from msp_opentelemetry._profiler import start_profiler
from msp_opentelemetry._propagators import make_propagator
from msp_opentelemetry._request_flush import RequestFlush
from msp_opentelemetry._resource import resource_attributes
from msp_opentelemetry._runtime_metrics import runtime_metrics
from msp_opentelemetry._samplers import CountedSampler, make_sampler
from msp_opentelemetry._sdk_warnings import sdk_warnings

logger = logging.getLogger("msp.opentelemetry")

_SELF = "msp/runtime/opentelemetry"
_EXPORT_MILLIS = 3000.0
_OTLP = "opentelemetry.exporter.otlp.proto.http"


@contextlib.asynccontextmanager
async def open_enabled(
    config: OpenTelemetryConfig, contract: Contract
) -> AsyncIterator[OpenTelemetry]:
    """Give the providers, lead the API to them, and flush them in the end."""
    choice = choose(config, msp=contract.msp, project=contract.google_cloud_project)
    if choice.unsent:
        logger.warning(
            "telemetry is sent nowhere: set GOOGLE_CLOUD_PROJECT or OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    # First, as they may be refused while there is nothing to be undone.
    spans = None if choice.traces is None else span_exporter(choice.traces)
    metrics = None
    if choice.metrics is not None:
        metrics = CountedMetricExporter(metric_exporter(choice.metrics))
    resource = await _resource(config, contract, choice)
    with contextlib.ExitStack() as stack:
        stack.enter_context(sdk_warnings(told=_told(choice)))
        meters = _meter_provider(config, choice, resource, metrics)
        meter = meters.get_meter(_SELF)
        tracers = _tracer_provider(config, resource, meter, spans)
        stack.enter_context(installed(tracers, meters, make_propagator()))
        flush = _request_flush(contract, choice, tracers)
        if flush is not None:
            stack.callback(flush.close)
        start_profiler(contract, config.project or contract.google_cloud_project)
        own = tracers.get_tracer("msp_opentelemetry")
        try:
            async with runtime_metrics(meters.get_meter("msp_opentelemetry")):
                yield OpenTelemetry(
                    enabled=True,
                    tracer_provider=tracers,
                    meter_provider=meters,
                    prometheus=choice.prometheus,
                    http=HTTPTelemetry(own, meters.get_meter("msp_opentelemetry"), flush),
                )
        finally:
            await flush_in_parallel({"traces": tracers.shutdown, "metrics": meters.shutdown})


async def _resource(config: OpenTelemetryConfig, contract: Contract, choice: Choice) -> Resource:
    to = (choice.traces, choice.metrics)
    projects = [google.project for google in to if isinstance(google, Google)]
    detected = await detect(contract)
    attributes = resource_attributes(
        config, contract, detected=detected, project=projects[0] if projects else None
    )
    return Resource.create(dict(attributes))


def _told(choice: Choice) -> list[str]:
    """Return the loggers of the SDK's exporters that send to Google."""
    signals = {f"{_OTLP}.trace_exporter": choice.traces, f"{_OTLP}.metric_exporter": choice.metrics}
    return [name for name, to in signals.items() if isinstance(to, Google)]


def _meter_provider(
    config: OpenTelemetryConfig,
    choice: Choice,
    resource: Resource,
    exporter: CountedMetricExporter | None,
) -> MeterProvider:
    readers: list[MetricReader] = []
    if choice.prometheus:
        from msp_opentelemetry._prometheus import prometheus_reader  # noqa: PLC0415 - vendor library: only on a laptop

        readers.append(prometheus_reader())
    if exporter is not None:
        interval = config.metrics.interval
        readers.append(PeriodicExportingMetricReader(exporter, interval, _EXPORT_MILLIS))
    provider = MeterProvider(readers, resource, shutdown_on_exit=False)
    if exporter is not None:
        exporter.count_with(provider.get_meter(_SELF))
    return provider


def _tracer_provider(
    config: OpenTelemetryConfig, resource: Resource, meter: Meter, exporter: SpanExporter | None
) -> TracerProvider:
    created = meter.create_counter(
        "otel.trace.created_span.count", description="Spans that were created."
    )
    sampler = CountedSampler(make_sampler(config), created)
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(CountedSpanExporter(exporter, meter)))
    return provider


def _request_flush(
    contract: Contract, choice: Choice, tracers: TracerProvider
) -> RequestFlush | None:
    """Return what flushes at the end of requests, where the CPU may be taken away then."""
    if contract.platform is not Platform.CLOUD_RUN or choice.traces is None:
        return None
    return RequestFlush(partial(tracers.force_flush, 3000))
