"""The process's global providers, which lead to those of the runtime that is open. Imports the API.

OpenTelemetry lets a process set its global providers once; a runtime may be opened again and
again, in tests above all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from opentelemetry import metrics, propagate, trace
from opentelemetry.propagators.textmap import TextMapPropagator


class CurrentTracerProvider(trace.TracerProvider):
    """Gives tracers that make their spans with the provider that is open at that moment."""

    def __init__(self) -> None:
        self.current: trace.TracerProvider = trace.NoOpTracerProvider()

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:  # noqa: ANN401 - the API's signature
        """Return a tracer."""
        return _CurrentTracer(self, args, kwargs)


class _CurrentTracer(trace.Tracer):
    def __init__(
        self, provider: CurrentTracerProvider, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._provider = provider
        self._named = args, kwargs
        self._made: tuple[trace.TracerProvider, trace.Tracer] | None = None

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:  # noqa: ANN401 - the API's signature
        return self._tracer().start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the API's signature
        return self._tracer().start_as_current_span(*args, **kwargs)

    def _tracer(self) -> trace.Tracer:
        provider, made = self._provider.current, self._made
        if made is None or made[0] is not provider:
            args, kwargs = self._named
            made = self._made = provider, provider.get_tracer(*args, **kwargs)
        return made[1]


class CurrentMeterProvider(metrics.MeterProvider):
    """Gives meters of the provider that is open at that moment."""

    def __init__(self) -> None:
        self.current: metrics.MeterProvider = metrics.NoOpMeterProvider()

    def get_meter(self, *args: Any, **kwargs: Any) -> metrics.Meter:  # noqa: ANN401 - the API's signature
        """Return a meter."""
        return self.current.get_meter(*args, **kwargs)


_TRACERS = CurrentTracerProvider()
_METERS = CurrentMeterProvider()


@contextlib.contextmanager
def install(
    tracers: trace.TracerProvider, meters: metrics.MeterProvider, propagator: TextMapPropagator
) -> Iterator[None]:
    """Let the API lead to these providers and this propagator while the block runs."""
    before = _TRACERS.current, _METERS.current, propagate.get_global_textmap()
    _TRACERS.current, _METERS.current = tracers, meters
    if trace.get_tracer_provider() is not _TRACERS:
        trace.set_tracer_provider(_TRACERS)
    if metrics.get_meter_provider() is not _METERS:
        metrics.set_meter_provider(_METERS)
    propagate.set_global_textmap(propagator)
    try:
        yield
    finally:
        _TRACERS.current, _METERS.current = before[:2]
        propagate.set_global_textmap(before[2])
