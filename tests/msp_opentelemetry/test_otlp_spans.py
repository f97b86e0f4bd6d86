"""Spans on their way out: the same messages as the SDK's, from an encoder that is cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceState

from msp_opentelemetry._export import otlp_spans
from msp_opentelemetry._export.lean_exporter import LeanSpanExporter
from msp_opentelemetry._export.otlp_spans import encode
from msp_opentelemetry._sdk.lean_tracer import LeanTracerProvider, SpanCount
from tests.msp_opentelemetry.endpoint import Endpoint

STATE = TraceState([("vendor", "1")])
CALLER = SpanContext(0xA << 100, 0xB, is_remote=True)
STATED = SpanContext(0xA, 0xB, is_remote=False, trace_state=STATE)


def spans_of(resource: str, *scopes: str) -> list[ReadableSpan]:
    """Return spans of every kind, made by tracers of these scopes in turn."""
    exporter = InMemorySpanExporter()
    provider = LeanTracerProvider(
        SpanCount(), sampler=ALWAYS_ON, resource=Resource({"service.name": resource, "n": 1}, "s:1")
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for scope in (*scopes, *scopes):
        make(provider.get_tracer(scope, "1", "https://example.com", {"scope": scope}))
    return list(exporter.get_finished_spans())


def make(tracer: trace.Tracer) -> None:
    """Make spans."""
    many: dict[str, Any] = {
        "text": "ä" * 300,
        "yes": True,
        "one": 1,
        "float": 1.0,
        "negative": -1,
        "list": [1, "a"],
        "none": None,
    }
    for kind in SpanKind:
        tracer.start_span(f"plain {kind.name}", kind=kind, attributes={"a": 1}).end()
    for value in (True, 1, 1.0, "1", 0, False, 0.0, ""):
        tracer.start_span("value", attributes={"a": value}).end()
    for parent in (CALLER, STATED):
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
        tracer.start_span("child", context, start_time=1 << 60).end((1 << 60) + 1)
    with tracer.start_as_current_span("x" * 20_000, attributes=many):
        tracer.start_span("inner", attributes=dict(list(many.items())[:5])).end()
    tracer.start_span("linked", links=[Link(CALLER, {"a": 1})]).end()
    failed = tracer.start_span("failed")
    failed.add_event("event", {"a": 1})
    failed.set_status(StatusCode.ERROR, "why")
    failed.end()
    tracer.start_span("dropped", attributes={str(number): number for number in range(200)}).end()


def read(data: bytes) -> ExportTraceServiceRequest:
    """Return the message."""
    return ExportTraceServiceRequest.FromString(data)


@pytest.mark.parametrize("scopes", [("one",), ("one", "two")])
def test_the_message_is_the_sdk_s(scopes: Sequence[str]) -> None:
    """Whatever a span is like, of several tracers and resources, in the same order."""
    spans = [*spans_of("guestbook", *scopes), *spans_of("other", *scopes)]

    assert read(encode(spans)) == encode_spans(spans)
    assert len(spans) > 60


def test_attributes_are_encoded_once() -> None:
    """Two spans of one statement share them; a bool is no number all the same."""
    otlp_spans._encode_attribute.cache_clear()
    spans = [span for span in spans_of("guestbook", "one") if span.name == "value"]
    encode(spans)
    encode(spans)

    info = otlp_spans._encode_attribute.cache_info()
    assert (info.misses, info.hits) == (6, 18)
    assert info.maxsize == 1024


def test_measurements_do_not_crowd_out_what_is_shared() -> None:
    """A time is never twice the same: what is kept of such an attribute is its name."""
    otlp_spans._encode_attribute.cache_clear()
    otlp_spans._float_head.cache_clear()
    provider = LeanTracerProvider(SpanCount(), sampler=ALWAYS_ON, resource=Resource({}))
    tracer = provider.get_tracer("probe")
    spans: list[Any] = [tracer.start_span("span", attributes={"a": n / 7}) for n in range(50)]

    assert read(encode(spans)) == encode_spans(spans)
    assert otlp_spans._encode_attribute.cache_info().currsize == 1


def exporter_to(endpoint: Endpoint) -> LeanSpanExporter:
    """Return an exporter to a receiver."""
    return LeanSpanExporter(endpoint=f"{endpoint.url}/v1/traces")


def test_spans_arrive_without_the_sdk_s_encoder(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter of the release that tests run with takes bytes."""
    spans = [span for span in spans_of("guestbook", "one") if span.name == "value"]
    monkeypatch.setattr(trace_exporter, "encode_spans", None)
    exporter = exporter_to(endpoint)

    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert read(endpoint.received[-1].body) == encode_spans(spans)
    endpoint.answer = 400, b""
    assert exporter.export(spans) is SpanExportResult.FAILURE
    exporter.shutdown()  # type: ignore[no-untyped-call]  # untyped there
    assert exporter.export(spans) is SpanExportResult.FAILURE


@pytest.mark.parametrize("strange", ["no client", "a number beyond 64 bits"])
def test_the_sdk_has_the_last_word(strange: str, endpoint: Endpoint) -> None:
    """What we cannot encode or send it does, and says what it leaves out."""
    exporter = exporter_to(endpoint)
    spans = spans_of("guestbook", "one")
    if strange == "no client":
        sent, exporter._client = exporter._client, None  # type: ignore[assignment]  # of another release
        with pytest.raises(AttributeError):  # asked by the exporter itself
            exporter.export(spans)
        exporter._client = sent
    else:
        spans[0].attributes  # noqa: B018 - read as any other
        huge = ReadableSpan(
            "huge",
            spans[0].context,
            resource=spans[0].resource,
            attributes={"huge": 1 << 70, "kept": 1},
            start_time=1,
            end_time=2,
        )
        assert exporter.export([huge]) is SpanExportResult.SUCCESS
        (span,) = read(endpoint.received[-1].body).resource_spans[0].scope_spans[0].spans
        assert [pair.key for pair in span.attributes] == ["kept"]
