"""LeanSpan: a span at a third of the SDK's price. Imports the SDK."""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import attrs
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, SpanProcessor
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import Attributes, AttributeValue

logger = logging.getLogger("opentelemetry.sdk.trace")

_PLAIN = frozenset({str, int, float, bool})  # need no look by the SDK
_UNSET = Status(StatusCode.UNSET)


@attrs.frozen(kw_only=True)
class SpanOrigin:
    """What the spans of one tracer have in common.

    Attributes:
        resource: who makes them.
        scope: of the tracer.
        processor: gets each span that has ended.
        limits: of attributes, events and links.
        plain: how many attributes of plain types a span may have before the SDK looks at them.
    """

    resource: Resource
    scope: InstrumentationScope
    processor: SpanProcessor
    limits: SpanLimits
    plain: float = attrs.field(init=False)

    @plain.default
    def _plain(self) -> float:
        if self.limits.max_span_attribute_length is not None:
            return 0
        most: int | None = self.limits.max_span_attributes
        return math.inf if most is None else most


class LeanSpan(ReadableSpan, Span):
    """A span that is recorded; to whoever uses it, reads it or exports it, one of the SDK.

    The SDK's own makes three locks, two lists and two copies of everything for each span. A span
    belongs to one task or thread almost always; for the others a dict is safe enough by itself.

    Args:
        origin: of its tracer.
        name: of the span.
        context: its identity.
        parent: the identity of the span around it; None for none.
        kind: of the span.
        attributes: known beforehand.
        links: to other spans.
        start_time: nanoseconds since the epoch; None for now.
        noting: whether an error that ends its block is an event of it, and its status.
    """

    def __init__(  # noqa: PLR0913 - what a span is begun with
        self,
        origin: SpanOrigin,
        name: str,
        context: SpanContext,
        *,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link],
        start_time: int | None,
        noting: tuple[bool, bool],
    ) -> None:
        self._origin = origin
        self._noting = noting
        super().__init__(
            name,
            context,
            parent,
            origin.resource,
            {},
            (),
            (),
            kind,
            None,
            _UNSET,
            time.time_ns() if start_time is None else start_time,
            None,
            origin.scope,
        )
        if attributes:
            self._keep(attributes)
        for link in links:
            self.add_link(link.context, link.attributes)

    def get_span_context(self) -> SpanContext:
        """Return its identity."""
        context: SpanContext = self._context  # type: ignore[assignment]  # given
        return context

    def is_recording(self) -> bool:
        """Return whether it has not ended yet."""
        return self._end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one attribute."""
        if not self._is_open("Setting attribute on ended span."):
            return
        held: Any = self._attributes
        if type(held) is dict and len(held) < self._origin.plain and key and type(value) in _PLAIN:
            held.pop(key, None)
            held[key] = value
        else:
            self._keep({key: value})

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes."""
        if self._is_open("Setting attribute on ended span."):
            self._keep(attributes)

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        """Add an event."""
        if not self._is_open("Calling add_event() on an ended span."):
            return
        limits = self._origin.limits
        if not isinstance(self._events, BoundedList):
            self._events = BoundedList(limits.max_events)
        kept = BoundedAttributes(
            limits.max_event_attributes, attributes, max_value_len=limits.max_attribute_length
        )
        self._events.append(Event(name, kept, timestamp))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link."""
        told = context.is_valid or attributes or context.trace_state
        if not told or not self._is_open("Calling add_link() on an ended span."):
            return
        limits = self._origin.limits
        if not isinstance(self._links, BoundedList):
            self._links = BoundedList(limits.max_links)
        kept = BoundedAttributes(
            limits.max_link_attributes, attributes, max_value_len=limits.max_attribute_length
        )
        self._links.append(Link(context, kept))

    def update_name(self, name: str) -> None:
        """Name it anew."""
        if self._is_open("Calling update_name() on an ended span."):
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went; what was called all right stays so."""
        given = status if isinstance(status, Status) else Status(status, description)
        ignored = self._status.status_code is StatusCode.OK or given.is_unset
        if not ignored and self._is_open("Calling set_status() on an ended span."):
            self._status = given

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - the API's signature
    ) -> None:
        """Add an event about an exception."""
        module, name = type(exception).__module__, type(exception).__qualname__
        told: dict[str, AttributeValue] = {
            "exception.type": name if module == "builtins" else f"{module}.{name}",
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End it, and give it to whoever exports it."""
        if not self._is_open("Calling end() on an ended span."):
            return
        self._end_time = time.time_ns() if end_time is None else end_time
        self._origin.processor.on_end(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Note the error that ends the block, and end."""
        if error is not None and self.is_recording():
            as_event, as_status = self._noting
            if as_event:
                self.record_exception(error, escaped=True)
            if as_status:
                self.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
        self.end()

    def _keep(self, attributes: Mapping[str, AttributeValue]) -> None:
        held: Any = self._attributes
        if type(held) is dict:
            if len(held) + len(attributes) <= self._origin.plain and _is_plain(attributes):
                for again in held.keys() & attributes.keys() if held else ():
                    del held[again]  # the oldest is dropped first, and it is not old any more
                held.update(attributes)
                return
            limits = self._origin.limits
            held = self._attributes = BoundedAttributes(
                limits.max_span_attributes,
                held,
                immutable=False,
                max_value_len=limits.max_span_attribute_length,
            )
        held.update(attributes)

    def _is_open(self, otherwise: str) -> bool:
        if self._end_time is not None:
            logger.warning(otherwise)
            return False
        return True


def _is_plain(attributes: Mapping[str, AttributeValue]) -> bool:
    return "" not in attributes and all(map(_PLAIN.__contains__, map(type, attributes.values())))
