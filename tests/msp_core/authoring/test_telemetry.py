"""Spans and instruments of plugins, where the program has OpenTelemetry and where it has not."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from msp_core.authoring import client_span, meter, tracer

SCOPE = "msp.notes"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Give what ends up in a backend; the process has a tracer provider meanwhile."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    """Return the only span."""
    (span,) = spans.get_finished_spans()
    return span


def test_without_opentelemetry_nothing_is_imported() -> None:
    """A program that does not know it pays nothing."""
    code = """
import sys
from msp_core.authoring import client_span, meter, tracer

assert (tracer("msp.notes"), meter("msp.notes")) == (None, None)
with client_span(tracer("msp.notes"), "READ", {}) as span:
    assert span is None
assert not any(name.startswith("opentelemetry") for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)  # noqa: S603 - code of this file

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("provider", [trace.ProxyTracerProvider(), trace.NoOpTracerProvider()])
def test_without_a_provider_nobody_traces(
    provider: trace.TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many libraries import the API; that alone makes no span worth its cost."""
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    assert tracer(SCOPE) is None


def test_a_provider_that_comes_later_is_seen(spans: InMemorySpanExporter) -> None:
    """Who sets one up may be the service itself."""
    made = tracer(SCOPE)
    assert made is not None
    made.start_span("READ").end()

    scope = only(spans).instrumentation_scope
    assert scope is not None
    assert scope.name == SCOPE


def test_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its instruments reach the reader, under the scope."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    made = meter(SCOPE)
    assert made is not None
    made.create_counter("notes").add(1)

    data = reader.get_metrics_data()
    assert data is not None
    assert data.resource_metrics[0].scope_metrics[0].scope.name == SCOPE
    provider.shutdown()


def test_a_call_is_one_span(spans: InMemorySpanExporter) -> None:
    """Of the kind client, below what is the current one, and not current itself."""
    provider = trace.get_tracer_provider()
    with (
        provider.get_tracer("app").start_as_current_span("request") as around,
        client_span(tracer(SCOPE), "READ", {"notes.amount": 3}) as span,
    ):
        assert span is not None
        assert trace.get_current_span() is around
        span.set_attribute("notes.found", 2)

    (called, _) = spans.get_finished_spans()
    assert (called.name, called.kind) == ("READ", trace.SpanKind.CLIENT)
    assert dict(called.attributes or {}) == {"notes.amount": 3, "notes.found": 2}
    assert called.parent is not None
    assert called.parent.span_id == around.get_span_context().span_id
    assert called.status.is_unset


def test_an_error_tells_class_and_place_but_no_values(spans: InMemorySpanExporter) -> None:
    """Its text may repeat what somebody wrote."""
    error = LookupError("no note of ada@example.com")
    with pytest.raises(LookupError), client_span(tracer(SCOPE), "READ", {}):
        raise error

    span = only(spans)
    (event,) = span.events
    told = dict(event.attributes or {})
    assert (span.attributes or {})["error.type"] == told["exception.type"] == "LookupError"
    assert "test_telemetry.py" in str(told["exception.stacktrace"])
    assert (span.status.status_code, span.status.description) == (
        trace.StatusCode.ERROR,
        "LookupError",
    )
    assert "ada" not in span.to_json()


def test_text_that_holds_no_values_is_told(spans: InMemorySpanExporter) -> None:
    """Who makes the span says so; a class of a library is named with its module."""

    def text(error: Exception) -> str:
        return str(error).replace("hunter2", "***")

    with (
        pytest.raises(subprocess.SubprocessError),
        client_span(tracer(SCOPE), "CONNECT", {}, error_text=text),
    ):
        raise subprocess.SubprocessError("hunter2 is refused")

    (event,) = only(spans).events
    told = dict(event.attributes or {})
    assert told["exception.type"] == "subprocess.SubprocessError"
    assert told["exception.message"] == "*** is refused"


def test_a_cancelled_call_is_no_error(spans: InMemorySpanExporter) -> None:
    """The span ends all the same."""
    with pytest.raises(KeyboardInterrupt), client_span(tracer(SCOPE), "READ", {}):
        raise KeyboardInterrupt

    assert only(spans).status.is_unset
