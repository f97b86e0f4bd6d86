"""The propagators. Imports the API and theirs."""

from __future__ import annotations

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.cloud_trace_propagator import CloudTraceOneWayPropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.jaeger import JaegerPropagator
from opentelemetry.propagators.ot_trace import OTTracePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


def make_propagator() -> TextMapPropagator:
    """Return what reads and writes every header we know; the later one wins when reading.

    Google's `X-Cloud-Trace-Context` is only read: whoever understands it knows `traceparent` too.
    """
    return CompositePropagator(
        [
            CloudTraceOneWayPropagator(),
            JaegerPropagator(),
            OTTracePropagator(),
            TraceContextTextMapPropagator(),
            W3CBaggagePropagator(),
        ]
    )
