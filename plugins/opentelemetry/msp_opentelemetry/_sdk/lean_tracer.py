"""LeanTracer: makes `LeanSpan`s, and nothing at all where a trace is not kept. Imports the SDK."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.sdk.trace.sampling import Decision, ParentBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.util.types import Attributes

from msp_opentelemetry._sdk.lean_span import LeanSpan, SpanOrigin

# By whether the trace is kept and whether its id is random.
_FLAGS = {
    (kept, random): TraceFlags(TraceFlags.SAMPLED * kept | TraceFlags.RANDOM_TRACE_ID * random)
    for kept in (False, True)
    for random in (False, True)
}


class SpanCount:
    """How many spans were created; read when somebody collects."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = 0
        self._dropped = 0

    def add(self, *, kept: bool) -> None:
        """Count one."""
        with self._lock:
            if kept:
                self._kept += 1
            else:
                self._dropped += 1

    def observe(self, _: CallbackOptions) -> Iterator[Observation]:
        """Give the numbers, of what was created at all."""
        for number, kept in ((self._kept, True), (self._dropped, False)):
            if number:  # the SDK makes no span without valid ids
                told = {"recording": kept, "sampled": kept, "valid": True}
                yield Observation(number, told)


class LeanTracerProvider(sdk.TracerProvider):
    """The SDK's provider, whose tracers make lean spans.

    Args:
        count: of spans that are created.
        options: of the SDK's.
    """

    def __init__(self, count: SpanCount, **options: Any) -> None:  # noqa: ANN401 - the SDK's options
        self._count = count
        self._limits = SpanLimits()  # of the environment
        self._processors = sdk.SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call]  # of the SDK
        super().__init__(shutdown_on_exit=False, active_span_processor=self._processors, **options)

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> trace.Tracer:
        """Return a tracer."""
        origin = SpanOrigin(
            resource=self.resource,
            scope=InstrumentationScope(
                instrumenting_module_name, instrumenting_library_version, schema_url, attributes
            ),
            processor=self._processors,
            limits=self._limits,
        )
        return LeanTracer(self, origin, self._count)


class LeanTracer(trace.Tracer):
    """Makes spans.

    Args:
        provider: whose sampler and ids they have.
        origin: of its spans.
        count: gets each of them.
    """

    def __init__(self, provider: sdk.TracerProvider, origin: SpanOrigin, count: SpanCount) -> None:
        self._provider = provider
        self._origin = origin
        self._count = count
        self._new_span_id = provider.id_generator.generate_span_id
        # Such a sampler decides as the parent did, so that nobody needs to be asked.
        self._inherits = isinstance(provider.sampler, ParentBased)

    start_as_current_span = sdk.Tracer.start_as_current_span  # needs nothing but `start_span`

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - the API's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 - same
    ) -> trace.Span:
        """Return a span that has started; one that records nothing where its trace is not kept."""
        around = trace.get_current_span(context)
        parent = around.get_span_context()
        inside = parent.is_valid
        trace_id = parent.trace_id if inside else self._provider.id_generator.generate_trace_id()
        kept = (
            parent.trace_flags.sampled
            if inside and self._inherits
            else self._ask(context, trace_id, name)
        )
        self._count.add(kept=kept)
        if not kept and inside and not parent.is_remote and not around.is_recording():
            return around  # stands for all of its trace that is not kept
        identity = self._identify(trace_id, parent, kept=kept)
        if not kept:
            return trace.NonRecordingSpan(identity)
        span = LeanSpan(
            self._find_origin(),
            name,
            identity,
            parent=parent if inside else None,
            kind=kind,
            attributes=attributes,
            links=links or (),
            start_time=start_time,
            noting=(record_exception, set_status_on_exception),
        )
        self._origin.processor.on_start(span, context)  # type: ignore[arg-type]  # reads like the SDK's
        return span

    def _ask(self, context: Context | None, trace_id: int, name: str) -> bool:
        result = self._provider.sampler.should_sample(context, trace_id, name)
        return result.decision is Decision.RECORD_AND_SAMPLE  # ours know no third answer

    def _identify(self, trace_id: int, parent: SpanContext, *, kept: bool) -> SpanContext:
        random = parent.trace_flags if parent.is_valid else TraceFlags.RANDOM_TRACE_ID
        flags = _FLAGS[kept, bool(random & TraceFlags.RANDOM_TRACE_ID)]
        return SpanContext(
            trace_id,
            self._new_span_id(),
            is_remote=False,
            trace_flags=flags,
            trace_state=parent.trace_state,
        )

    def _find_origin(self) -> SpanOrigin:
        if self._origin.resource is not self._provider.resource:  # after a fork
            self._origin = attrs.evolve(self._origin, resource=self._provider.resource)
        return self._origin
