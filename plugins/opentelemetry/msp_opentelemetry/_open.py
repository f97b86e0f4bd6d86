"""Opening telemetry: providers, exporters, and what measures. Imports the SDK."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from msp_core.contract import Contract
from msp_core.platforms import Platform
from msp_opentelemetry._choice import Choice, Google, choose
from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._opentelemetry import OpenTelemetry
from msp_opentelemetry._sdk.flush import flush_in_parallel
from msp_opentelemetry._sdk.globals import install
from msp_opentelemetry._sdk.google_metadata import detect
from msp_opentelemetry._sdk.pace import Pace
from msp_opentelemetry._sdk.profiler import start_profiler
from msp_opentelemetry._sdk.propagators import make_propagator
from msp_opentelemetry._sdk.providers import SELF, make_meter_provider, make_tracer_provider
from msp_opentelemetry._sdk.resource import resource_attributes
from msp_opentelemetry._sdk.runtime_metrics import runtime_metrics
from msp_opentelemetry._sdk.sdk_warnings import sdk_warnings
from msp_opentelemetry._spans.http import HTTPTelemetry
from msp_opentelemetry._spans.request_flush import RequestFlush

logger = logging.getLogger("msp.opentelemetry")

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
    pace = Pace.of(config, contract)
    resource = await _resource(config, contract, choice)
    with contextlib.ExitStack() as stack:
        stack.enter_context(sdk_warnings(advised=_google_loggers(choice)))
        meters = make_meter_provider(choice, resource, pace)
        tracers = make_tracer_provider(config, choice, resource, pace, meters.get_meter(SELF))
        stack.enter_context(install(tracers, meters, make_propagator()))
        flush = _request_flush(contract, choice, tracers)
        if flush is not None:
            stack.callback(flush.close)
        start_profiler(contract, config.project or contract.google_cloud_project)
        own = tracers.get_tracer("msp.opentelemetry")
        try:
            async with runtime_metrics(meters.get_meter("msp.opentelemetry")):
                yield OpenTelemetry(
                    enabled=True,
                    tracer_provider=tracers,
                    meter_provider=meters,
                    prometheus=choice.prometheus,
                    http=HTTPTelemetry(own, meters.get_meter("msp.opentelemetry"), flush),
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


def _google_loggers(choice: Choice) -> list[str]:
    """Return the loggers of the SDK's exporters that send to Google."""
    signals = {f"{_OTLP}.trace_exporter": choice.traces, f"{_OTLP}.metric_exporter": choice.metrics}
    return [name for name, to in signals.items() if isinstance(to, Google)]


def _request_flush(
    contract: Contract, choice: Choice, tracers: TracerProvider
) -> RequestFlush | None:
    """Return what flushes at the end of requests, where the CPU may be taken away then."""
    if contract.platform is not Platform.CLOUD_RUN or choice.traces is None:
        return None
    return RequestFlush(partial(tracers.force_flush, 3000))
