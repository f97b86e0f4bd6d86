"""Spans in the form of the Cloud Trace API, version 2: what `traces:batchWrite` takes.

Google refuses what is longer than its limits, so it is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, StatusCode, format_span_id, format_trace_id

_NAME = 128  # bytes
_KEY = 128  # bytes
_VALUE = 256  # bytes
_ATTRIBUTES = 32  # of a span, and of a link
_EVENT_ATTRIBUTES = 4
_EVENTS = 32  # of a span
_LINKS = 128  # of a span
_UNKNOWN = 2  # google.rpc.Code: an error, nobody says which
_NANO = 10**9


def batch_write(spans: Iterable[ReadableSpan], project: str) -> dict[str, Any]:
    """Return the body of a request that writes the spans.

    Args:
        spans: that have ended.
        project: Google Cloud project that receives them.
    """
    return {"spans": [_span(span, project) for span in spans]}


def _span(span: ReadableSpan, project: str) -> dict[str, Any]:
    context: SpanContext = span.get_span_context()  # type: ignore[assignment, no-untyped-call, unused-ignore]  # an ended span has one
    trace_id, span_id = format_trace_id(context.trace_id), format_span_id(context.span_id)
    # The span's own first: what is over the limit is dropped.
    attributes = {**dict(span.attributes or {}), **_missing_in(span)}
    written: dict[str, Any] = {
        "name": f"projects/{project}/traces/{trace_id}/spans/{span_id}",
        "spanId": span_id,
        "displayName": _text(span.name, _NAME),
        "startTime": _time(span.start_time),
        "endTime": _time(span.end_time),
        "attributes": _attributes(attributes, _ATTRIBUTES),
        "spanKind": span.kind.name,
    }
    if span.parent is not None:
        written["parentSpanId"] = format_span_id(span.parent.span_id)
        written["sameProcessAsParentSpan"] = not span.parent.is_remote
    if span.status.status_code is StatusCode.ERROR:
        written["status"] = {"code": _UNKNOWN, "message": span.status.description or ""}
    if span.events:
        written["timeEvents"] = _events(span.events)
    if span.links:
        written["links"] = _links(span.links)
    return written


def _missing_in(span: ReadableSpan) -> dict[str, Any]:
    own = span.attributes or {}
    return {key: value for key, value in span.resource.attributes.items() if key not in own}


def _events(events: Iterable[Event]) -> dict[str, Any]:
    kept = list(events)
    return {
        "timeEvent": [
            {
                "time": _time(event.timestamp),
                "annotation": {
                    "description": _text(event.name, _VALUE),
                    "attributes": _attributes(event.attributes or {}, _EVENT_ATTRIBUTES),
                },
            }
            for event in kept[:_EVENTS]
        ],
        "droppedAnnotationsCount": len(kept[_EVENTS:]),
    }


def _links(links: Iterable[Link]) -> dict[str, Any]:
    kept = list(links)
    return {
        "link": [
            {
                "traceId": format_trace_id(link.context.trace_id),
                "spanId": format_span_id(link.context.span_id),
                "attributes": _attributes(link.attributes or {}, _ATTRIBUTES),
            }
            for link in kept[:_LINKS]
        ],
        "droppedLinksCount": len(kept[_LINKS:]),
    }


def _attributes(attributes: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {
        "attributeMap": {
            _cut(key, _KEY): _value(value) for key, value in islice(attributes.items(), most)
        },
        "droppedAttributesCount": max(0, len(attributes) - most),
    }


def _value(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever an attribute may be
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}  # as JSON has it for 64 bits
    if isinstance(value, tuple | list):
        return {"stringValue": _text(",".join(map(str, value)), _VALUE)}
    return {"stringValue": _text(str(value), _VALUE)}


def _text(text: str, most: int) -> dict[str, Any]:
    kept = _cut(text, most)
    return {"value": kept, "truncatedByteCount": len(text.encode()) - len(kept.encode())}


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _time(nanoseconds: int | None) -> str:
    seconds, rest = divmod(nanoseconds or 0, _NANO)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
