"""Lean spans: what arrives of them is what arrives of the SDK's own, whatever is done with one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from msp_opentelemetry._sdk.lean_tracer import LeanTracerProvider, SpanCount

CALLER = SpanContext(0xA, 0xB, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
RESOURCE = Resource.create({"service.name": "probe"})
Use = Callable[[trace.Tracer], None]


def provider_of(*, lean: bool, sampler: Sampler | None = None) -> TracerProvider:
    """Return a provider of ours or of the SDK's."""
    given = sampler or ParentBased(ALWAYS_ON)
    if lean:
        return LeanTracerProvider(SpanCount(), sampler=given, resource=RESOURCE)
    return TracerProvider(given, RESOURCE, shutdown_on_exit=False)


def told(use: Use, *, lean: bool) -> list[dict[str, Any]]:
    """Return what arrives of a use, without what is never twice the same."""
    exporter = InMemorySpanExporter()
    provider = provider_of(lean=lean)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    use(provider.get_tracer("probe", "1", "https://example.com", {"a": 1}))
    return [read(span) for span in exporter.get_finished_spans()]


def read(span: ReadableSpan) -> dict[str, Any]:
    """Return all there is to read of a span but times and ids."""
    found: dict[str, Any] = json.loads(span.to_json())
    for unique in ("start_time", "end_time", "context", "parent_id"):
        del found[unique]
    for event in found["events"]:
        del event["timestamp"]
    scope = span.instrumentation_scope
    assert scope is not None
    assert span.context is not None
    dropped = (span.dropped_attributes, span.dropped_events, span.dropped_links)
    return {
        **found,
        "scope": (scope.name, scope.version, scope.schema_url, dict(scope.attributes or {})),
        "flags": int(span.context.trace_flags),
        "child": span.parent is not None,
        "dropped": dropped,
        "attribute types": {key: type(value) for key, value in (span.attributes or {}).items()},
    }


def use_attributes(tracer: trace.Tracer) -> None:
    """Set attributes of every kind, good and bad ones."""
    known: dict[str, Any] = {"text": "a", "number": 1, "list": [1, 2], "object": object(), "": 1}
    span = tracer.start_span("attributes", kind=SpanKind.CLIENT, attributes=known)
    changed = ["a"]
    span.set_attribute("later", changed)
    changed.append("b")
    span.set_attribute("number", 2.5)
    span.set_attribute("", "nameless")
    span.set_attributes({"flag": True, "map": {"a": 1}})
    span.set_attributes({"": "nameless", "named": "kept"})
    span.end()


def use_plain_attributes(tracer: trace.Tracer) -> None:
    """Set attributes that need no look, some of them again; the oldest is dropped first."""
    span = tracer.start_span("plain", attributes={"a": 1, "b": "two"})
    span.set_attributes({"a": 3, "c": True})
    span.set_attribute("b", 4.5)
    span.set_attribute("d", "long enough")
    span.end()


def use_events(tracer: trace.Tracer) -> None:
    """Add events, exceptions and links."""
    span = tracer.start_span("events", links=[Link(CALLER, {"a": 1})])
    span.add_event("first", {"a": 1})
    span.add_event("second", timestamp=7)
    span.record_exception(LookupError("not there"), {"more": 1})
    span.record_exception(json.JSONDecodeError("bad", "", 0))
    span.add_link(CALLER, {"b": 2})
    span.end()
    other = tracer.start_span("linked later")
    other.add_link(CALLER)
    other.add_link(trace.INVALID_SPAN_CONTEXT)
    other.end()


def use_status(tracer: trace.Tracer) -> None:
    """Set one status after another."""
    for statuses in (
        [StatusCode.ERROR, StatusCode.UNSET],
        [StatusCode.OK, StatusCode.ERROR],
        [Status(StatusCode.ERROR, "why"), Status(StatusCode.OK)],
    ):
        span = tracer.start_span("status")
        for status in statuses:
            span.set_status(status)
        span.end()
    span = tracer.start_span("status")
    span.set_status(StatusCode.ERROR, "why")
    span.update_name("renamed")
    span.end()


def use_blocks(tracer: trace.Tracer) -> None:
    """End blocks well and badly, one in the other."""
    for noting in (True, False):
        flags: dict[str, Any] = {"record_exception": noting, "set_status_on_exception": noting}
        with (
            pytest.raises(LookupError),
            tracer.start_as_current_span("outer", **flags),
            tracer.start_as_current_span("inner"),
        ):
            raise LookupError
        with pytest.raises(LookupError), tracer.start_span("no current one", **flags):
            raise LookupError
    span = tracer.start_span("ended inside")
    with pytest.raises(LookupError), span:
        fail_after(span)


def fail_after(span: trace.Span) -> None:
    """End the span and raise."""
    span.end()
    raise LookupError


def use_after_the_end(tracer: trace.Tracer) -> None:
    """Do everything with a span that has ended."""
    span = tracer.start_span("ended")
    span.end()
    span.set_attribute("a", 1)
    span.set_attributes({"a": 1})
    span.add_event("late")
    span.add_link(CALLER)
    span.update_name("late")
    span.set_status(StatusCode.ERROR)
    span.end()
    assert not span.is_recording()


def use_decorator(tracer: trace.Tracer) -> None:
    """Decorate a function."""

    @tracer.start_as_current_span("decorated")
    def decorated() -> None: ...

    decorated()
    decorated()


USES = (
    use_attributes,
    use_plain_attributes,
    use_events,
    use_status,
    use_blocks,
    use_after_the_end,
    use_decorator,
)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Set limits of the specification, where the test wants some."""
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)


LIMITS: tuple[dict[str, str], ...] = (
    {},
    {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "1"},
    {"OTEL_SPAN_EVENT_COUNT_LIMIT": "1", "OTEL_SPAN_LINK_COUNT_LIMIT": "1"},
    {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "2"},
)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("limits", LIMITS, ids=str, indirect=True)
@pytest.mark.usefixtures("limits")
def test_what_arrives_is_that_of_the_sdk(use: Use) -> None:
    """Attributes, events, links, status, limits: no backend could tell them apart."""
    lean, heavy = told(use, lean=True), told(use, lean=False)
    for span in (*lean, *heavy):
        for event in span["events"]:  # the lines of whoever raised differ by nothing else
            event["attributes"].pop("exception.stacktrace", None)

    assert lean == heavy
    assert lean


def test_times_and_ids() -> None:
    """A child has its parent's trace; times are those given, or those of the clock."""
    tracer = provider_of(lean=True).get_tracer("probe")
    with tracer.start_as_current_span("outer") as outer:
        given: Any = tracer.start_span("given", start_time=5)
        given.end(9)
        made: Any = tracer.start_span("made")
        made.end()

    around = outer.get_span_context()
    assert (given.start_time, given.end_time) == (5, 9)
    assert 0 < made.start_time <= made.end_time
    assert given.parent == made.parent == around
    assert given.context.trace_id == made.context.trace_id == around.trace_id
    assert len({given.context.span_id, made.context.span_id, around.span_id}) == 3
    assert not given.context.is_remote


@pytest.mark.parametrize("lean", [True, False])
@pytest.mark.parametrize("sampled", [True, False])
def test_a_remote_caller_decides(lean: bool, sampled: bool) -> None:  # noqa: FBT001 - parameters of the test
    """A trace is kept as its caller keeps it, with its id and flags."""
    flags = TraceFlags(TraceFlags.SAMPLED * sampled | TraceFlags.RANDOM_TRACE_ID)
    state = trace.TraceState([("vendor", "1")])
    caller = SpanContext(0xA, 0xB, is_remote=True, trace_flags=flags, trace_state=state)
    context = trace.set_span_in_context(trace.NonRecordingSpan(caller))
    made = provider_of(lean=lean).get_tracer("probe").start_span("served", context)
    identity = made.get_span_context()

    assert made.is_recording() is sampled
    assert (identity.trace_id, identity.trace_flags) == (0xA, flags)
    assert identity.span_id != 0xB
    assert not identity.is_remote
    assert identity.trace_state == state


def test_what_is_not_kept_costs_no_object() -> None:
    """The span of a request that is not sampled stands for all that is done in it."""
    tracer = provider_of(lean=True, sampler=ParentBased(ALWAYS_OFF)).get_tracer("probe")
    with tracer.start_as_current_span("request") as request:
        inside = [tracer.start_span(f"query {number}") for number in range(3)]

    assert not request.is_recording()
    assert request.get_span_context().is_valid
    assert all(span is request for span in inside)


def test_a_sampler_that_ignores_parents_is_asked_for_each() -> None:
    """Below a span that is kept there may be one that is not, and the other way round."""
    tracer = provider_of(lean=True, sampler=ALWAYS_ON).get_tracer("probe")
    dropped = trace.NonRecordingSpan(SpanContext(1, 2, is_remote=False))
    assert tracer.start_span("kept", trace.set_span_in_context(dropped)).is_recording()
    off = provider_of(lean=True, sampler=ALWAYS_OFF).get_tracer("probe")
    with tracer.start_as_current_span("kept") as kept:
        lost = off.start_span("lost")

    assert not lost.is_recording()
    assert lost.get_span_context().trace_id == kept.get_span_context().trace_id
    assert lost.get_span_context() != kept.get_span_context()


def test_processors_see_starts_and_ends() -> None:
    """A processor that a service adds reads and changes a span as one of the SDK."""
    seen: list[tuple[str, str | None, Any]] = []

    class Processor(SpanProcessor):
        def on_start(self, span: Span, parent_context: Any = None) -> None:
            span.set_attribute("noted", value=True)
            seen.append(("start", span.name, parent_context))

        def on_end(self, span: ReadableSpan) -> None:
            seen.append(("end", span.name, (span.attributes or {})["noted"]))

    provider = provider_of(lean=True)
    provider.add_span_processor(Processor())
    provider.get_tracer("probe").start_span("span").end()

    assert seen == [("start", "span", None), ("end", "span", True)]


def test_after_a_fork_spans_say_so() -> None:
    """The SDK gives the process in the child a resource of its own."""
    provider = provider_of(lean=True)
    tracer = provider.get_tracer("probe")
    before: Any = tracer.start_span("before")
    provider._update_resource(Resource({"service.instance.id": "child"}))
    after: Any = tracer.start_span("after")

    assert "child" not in str(before.resource.attributes)
    assert after.resource.attributes["service.instance.id"] == "child"


@pytest.fixture
def counted() -> Iterator[tuple[SpanCount, InMemoryMetricReader]]:
    """Give a count and who reads it."""
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - here only

    count, reader = SpanCount(), InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("probe").create_observable_counter("created", [count.observe])
    yield count, reader
    provider.shutdown()


def test_created_spans_are_counted(counted: tuple[SpanCount, InMemoryMetricReader]) -> None:
    """Kept and not kept apart, those that stand for others too."""
    count, reader = counted
    assert reader.get_metrics_data() is None
    provider = LeanTracerProvider(count, sampler=ParentBased(ALWAYS_OFF), resource=RESOURCE)
    tracer = provider.get_tracer("probe")
    with tracer.start_as_current_span("lost"):
        tracer.start_span("lost").end()
    context = trace.set_span_in_context(trace.NonRecordingSpan(CALLER))
    for _ in range(3):
        tracer.start_span("kept", context).end()
    data: Any = reader.get_metrics_data()
    found = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points

    assert {point.attributes["sampled"]: point.value for point in found} == {True: 3, False: 2}
