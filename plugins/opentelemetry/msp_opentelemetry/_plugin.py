"""The hooks through which the runtime knows OpenTelemetry."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from pathlib import Path

from msp_core.asgi import ASGIMiddleware
from msp_core.contract import Contract, JobContract, ServiceContract
from msp_core.diagnostics import Route
from msp_core.execution import Execution
from msp_core.hookspecs import hookimpl
from msp_core.integration import API, Integration, LogProcessor, Role
from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._opentelemetry import OpenTelemetry
from msp_opentelemetry._sdk_environ import sdk_environ

_TRACES = "traces go to Google"
_METRICS = "metrics go to Google"
_PROFILES = "the extra profiler is installed"


logger = logging.getLogger("msp.opentelemetry")


@asynccontextmanager
async def open_telemetry(
    config: OpenTelemetryConfig, contract: Contract
) -> AsyncIterator[OpenTelemetry]:
    """Give telemetry, or what does nothing in its place; waits for no receiver."""
    async with AsyncExitStack() as stack:
        yield (_do_nothing() if config.disabled else await _open(config, contract, stack))


async def _open(
    config: OpenTelemetryConfig, contract: Contract, stack: AsyncExitStack
) -> OpenTelemetry:
    """Return telemetry; what does nothing, after a warning, when it cannot be opened."""
    try:
        with sdk_environ():
            from msp_opentelemetry._open import open_enabled  # noqa: PLC0415 - imports the vendor library

            return await stack.enter_async_context(open_enabled(config, contract))
    except Exception as error:  # noqa: BLE001 - telemetry keeps no service from starting
        # Its text may hold the value of a variable that the SDK reads itself.
        logger.warning("there is no telemetry: opening it raised %s", type(error).__name__)
        return _do_nothing()


def _do_nothing() -> OpenTelemetry:
    from opentelemetry import metrics, trace  # noqa: PLC0415 - vendor library: imported where it is opened

    return OpenTelemetry(
        enabled=False,
        tracer_provider=trace.NoOpTracerProvider(),
        meter_provider=metrics.NoOpMeterProvider(),
    )


def dev_receiver(folder: Path) -> AbstractAsyncContextManager[Mapping[str, str]]:
    """Give the receiver; production never imports what starts it."""
    from msp_opentelemetry._dev import receiver  # noqa: PLC0415 - imported where it is started

    return receiver(folder)


@hookimpl
def msp_integration() -> Integration[OpenTelemetryConfig, OpenTelemetry]:
    """Describe OpenTelemetry."""
    return Integration(
        name="opentelemetry",
        config=OpenTelemetryConfig,
        client=OpenTelemetry,
        open=open_telemetry,
        telemetry=True,
        dev=dev_receiver,
        roles=(
            Role(name="roles/cloudtrace.agent", purpose="writing spans", when=_TRACES),
            Role(name="roles/monitoring.metricWriter", purpose="writing metrics", when=_METRICS),
            Role(name="roles/cloudprofiler.agent", purpose="writing profiles", when=_PROFILES),
        ),
        apis=(
            API(
                name="telemetry.googleapis.com",
                purpose="spans and metrics by OTLP",
                when="telemetry goes to Google",
            ),
            API(name="cloudtrace.googleapis.com", purpose="keeping spans", when=_TRACES),
            API(name="monitoring.googleapis.com", purpose="keeping metrics", when=_METRICS),
            API(name="cloudprofiler.googleapis.com", purpose="profiles", when=_PROFILES),
        ),
    )


@hookimpl
def msp_log_processor(contract: Contract) -> LogProcessor:
    """Give what adds the trace to log lines."""
    if not contract[OpenTelemetry].enabled:
        return lambda _record, _fields: None
    from msp_opentelemetry._spans.log_fields import add_trace  # noqa: PLC0415 - imports the vendor library

    return add_trace


@hookimpl
def msp_asgi_middleware(contract: Contract) -> ASGIMiddleware:
    """Give what traces and measures requests."""
    return contract[OpenTelemetry].asgi


@hookimpl(tryfirst=True)  # a check-in belongs to the trace, whatever was declared first
def msp_job_execution(
    contract: JobContract, execution: Execution
) -> AbstractAsyncContextManager[None] | None:
    """Give the root span of the execution."""
    telemetry = contract[OpenTelemetry]
    if not telemetry.enabled:
        return None
    from msp_opentelemetry._spans.job import execution_span  # noqa: PLC0415 - imports the vendor library

    tracer = telemetry.tracer_provider.get_tracer("msp.opentelemetry")
    return execution_span(tracer, contract.name, execution)


@hookimpl
def msp_start_part(contract: Contract, part: str) -> AbstractContextManager[None] | None:
    """Give a span of a service's start; that of a job has its execution's trace only."""
    telemetry = contract[OpenTelemetry]
    if not telemetry.enabled or not isinstance(contract, ServiceContract):
        return None
    from msp_opentelemetry._spans.start import start_span  # noqa: PLC0415 - imports the vendor library

    return start_span(telemetry.tracer_provider.get_tracer("msp.opentelemetry"), part)


@hookimpl
def msp_diagnostics_routes(contract: Contract) -> list[Route]:
    """Give `/metrics`: to everybody, but on a live platform to holders of the secret."""
    if not contract[OpenTelemetry].prometheus:
        return []
    from msp_opentelemetry._prometheus import respond  # noqa: PLC0415 - imports the vendor library

    return [Route(path="/metrics", respond=respond, secret=contract.msp)]
