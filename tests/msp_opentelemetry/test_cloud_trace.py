"""Spans as the Cloud Trace API takes them: everything said, and nothing over its limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from msp_opentelemetry._export.cloud_trace import batch_write

START = 1_700_000_000_000_000_001  # nanoseconds
CALLER = SpanContext(0xA, 0xB, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


@pytest.fixture
def finished() -> InMemorySpanExporter:
    """Give what keeps the spans."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(finished: InMemorySpanExporter) -> Iterator[Tracer]:
    """Give a tracer of the real SDK."""
    provider = TracerProvider(resource=Resource({"service.name": "guestbook"}))
    provider.add_span_processor(SimpleSpanProcessor(finished))
    yield provider.get_tracer("probe")
    provider.shutdown()


def written(finished: InMemorySpanExporter) -> list[dict[str, Any]]:
    """Return the spans as they are sent."""
    spans: list[dict[str, Any]] = batch_write(finished.get_finished_spans(), "garden")["spans"]
    return spans


def test_plain_span(tracer: Tracer, finished: InMemorySpanExporter) -> None:
    """A span without anything says its ids, its times and whose it is."""
    span = tracer.start_span("root", start_time=START)
    span.end(START + 1_500_000_000)

    context = span.get_span_context()
    trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    assert written(finished) == [
        {
            "name": f"projects/garden/traces/{trace_id}/spans/{span_id}",
            "spanId": span_id,
            "displayName": {"value": "root", "truncatedByteCount": 0},
            "startTime": "2023-11-14T22:13:20.000000001Z",
            "endTime": "2023-11-14T22:13:21.500000001Z",
            "spanKind": "INTERNAL",
            "attributes": {
                "attributeMap": {
                    "service.name": {"stringValue": {"value": "guestbook", "truncatedByteCount": 0}}
                },
                "droppedAttributesCount": 0,
            },
        }
    ]


def test_parents(tracer: Tracer, finished: InMemorySpanExporter) -> None:
    """A span says whose child it is, and whether its parent is in another process."""
    caller = set_span_in_context(NonRecordingSpan(CALLER))
    with tracer.start_as_current_span("outer", caller, SpanKind.SERVER) as outer:
        tracer.start_span("inner").end()

    inner, sent = written(finished)
    assert (sent["parentSpanId"], sent["sameProcessAsParentSpan"]) == (f"{0xB:016x}", False)
    assert sent["spanKind"] == "SERVER"
    assert inner["parentSpanId"] == f"{outer.get_span_context().span_id:016x}"
    assert inner["sameProcessAsParentSpan"] is True


def test_attributes(tracer: Tracer, finished: InMemorySpanExporter) -> None:
    """Attributes keep their types as far as the API has them; the span's own win."""
    given: dict[str, Any] = {"n": 7, "yes": True, "x": 1.5, "list": [1, 2], "service.name": "own"}
    tracer.start_span("span", attributes=given).end()

    (span,) = written(finished)
    found = span["attributes"]["attributeMap"]
    texts = {key: value["stringValue"]["value"] for key, value in found.items() if len(key) > 3}
    assert found["n"] == {"intValue": "7"}
    assert found["yes"] == {"boolValue": True}
    assert found["x"] == {"stringValue": {"value": "1.5", "truncatedByteCount": 0}}
    assert texts == {"list": "1,2", "service.name": "own"}


def test_errors_events_and_links(tracer: Tracer, finished: InMemorySpanExporter) -> None:
    """A failure, what happened meanwhile and what it belongs to are told."""
    span = tracer.start_span("span", links=[Link(CALLER, {"why": "retry"})])
    span.add_event("retry", {"attempt": 2}, START)
    span.set_status(StatusCode.ERROR, "refused")
    span.end()

    (sent,) = written(finished)
    (event,) = sent["timeEvents"]["timeEvent"]
    (link,) = sent["links"]["link"]
    assert sent["status"] == {"code": 2, "message": "refused"}
    assert event["time"] == "2023-11-14T22:13:20.000000001Z"
    assert event["annotation"]["description"]["value"] == "retry"
    assert event["annotation"]["attributes"]["attributeMap"] == {"attempt": {"intValue": "2"}}
    assert (link["traceId"], link["spanId"]) == (f"{0xA:032x}", f"{0xB:016x}")
    assert link["attributes"]["attributeMap"]["why"]["stringValue"]["value"] == "retry"


def test_limits(tracer: Tracer, finished: InMemorySpanExporter) -> None:
    """What is over a limit of the API is cut, and counted, as one long text refuses a batch."""
    many = {f"key {number}": number for number in range(40)}
    attributes: dict[str, Any] = {"k" * 200: "ä" * 200, **many}
    links = [Link(CALLER)] * 128
    span = tracer.start_span("n" * 200, attributes=attributes, links=links)
    for _ in range(40):
        span.add_event("e" * 300, many)
    span.end()

    (sent,) = written(finished)
    found = sent["attributes"]["attributeMap"]
    events = sent["timeEvents"]["timeEvent"]
    assert sent["displayName"] == {"value": "n" * 128, "truncatedByteCount": 72}
    assert found["k" * 128]["stringValue"] == {"value": "ä" * 128, "truncatedByteCount": 144}
    assert (len(found), sent["attributes"]["droppedAttributesCount"]) == (32, 10)
    assert (len(events), sent["timeEvents"]["droppedAnnotationsCount"]) == (32, 8)
    assert len(events[0]["annotation"]["description"]["value"]) == 256
    assert len(events[0]["annotation"]["attributes"]["attributeMap"]) == 4
    assert (len(sent["links"]["link"]), sent["links"]["droppedLinksCount"]) == (128, 0)
