"""Spans as OTLP, at a fifth of the SDK's price. Imports the SDK and the exporters' encoder."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import StatusCode

# Keys of fields: number and type, as Protocol Buffers write them.
_RESOURCE_SPANS, _SCOPE_SPANS, _SPANS, _ATTRIBUTE = b"\x0a", b"\x12", b"\x12", b"\x4a"
_PARENT, _NAME, _KIND = b"\x22\x08", b"\x2a", b"\x30"
_IDS = struct.Struct(">2sQQ2sQ")
_TIMES = struct.Struct("<sQsQ")
_END = struct.Struct("<4sI")
_FLOAT = struct.Struct("<d")
_FIELDS = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
_LOCAL, _REMOTE = 0x100, 0x300  # flags: that it is known where the parent is, and that it is remote
_LOW = (1 << 64) - 1
_LAST, _MORE = 0x7F, 0x80  # of the bytes of a length: seven bits, and that another follows


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """Return an `ExportTraceServiceRequest` with the spans, as the SDK's encoder makes it.

    Most spans have nothing but attributes, and those are the same again and again: each is encoded
    once. What else there may be, events, links, an error, is left to the SDK.
    """
    grouped: dict[Resource, dict[InstrumentationScope | None, list[ReadableSpan]]] = {}
    known: dict[tuple[int, int], list[ReadableSpan]] = {}
    for span in spans:
        scope = span.instrumentation_scope
        identities = id(span.resource), id(scope)  # both hash all their attributes, each time
        group = known.get(identities)
        if group is None:
            group = grouped.setdefault(span.resource, {}).setdefault(scope, [])
            known[identities] = group
        group.append(span)
    return b"".join(
        _field(_RESOURCE_SPANS, _encode_resource(list(scopes.values())))
        for scopes in grouped.values()
    )


def _encode_resource(scopes: Sequence[Sequence[ReadableSpan]]) -> bytes:
    found = encode_spans(scopes[0][:1]).resource_spans[0]
    del found.scope_spans[:]
    head: bytes = found.SerializeToString()
    return head + b"".join(_field(_SCOPE_SPANS, _encode_scope(spans)) for spans in scopes)


def _encode_scope(spans: Sequence[ReadableSpan]) -> bytes:
    found = encode_spans(spans[:1]).resource_spans[0].scope_spans[0]
    del found.spans[:]
    head: bytes = found.SerializeToString()
    return head + b"".join(_field(_SPANS, _encode_span(span)) for span in spans)


def _encode_span(span: ReadableSpan) -> bytes:
    context: Any = span.context
    attributes = span.attributes or {}
    plain = not (
        span.events
        or span.links
        or span.dropped_attributes
        or context.trace_state
        or span.status.status_code is not StatusCode.UNSET
    )
    if not plain or not all(type(value) in _FIELDS for value in attributes.values()):
        found = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
        rest: bytes = found.SerializeToString()
        return rest
    parent = span.parent
    trace_id = context.trace_id
    return b"".join(
        (
            _IDS.pack(b"\x0a\x10", trace_id >> 64, trace_id & _LOW, b"\x12\x08", context.span_id),
            _PARENT + parent.span_id.to_bytes(8, "big") if parent else b"",
            _field(_NAME, span.name.encode()),
            _KIND,
            bytes((span.kind.value + 1,)),
            _TIMES.pack(b"\x39", span.start_time or 0, b"\x41", span.end_time or 0),
            *[
                _encode_float(key, value) if type(value) is float else _encode_attribute(key, value)
                for key, value in attributes.items()
            ],
            _END.pack(b"\x7a\x00\x85\x01", _REMOTE if parent and parent.is_remote else _LOCAL),
        )
    )


@functools.lru_cache(maxsize=1024, typed=True)  # `True` and `1` are not the same
def _encode_attribute(key: str, value: Any) -> bytes:  # noqa: ANN401 - of the four types
    fields: dict[str, Any] = {_FIELDS[type(value)]: value}
    return _field(_ATTRIBUTE, KeyValue(key=key, value=AnyValue(**fields)).SerializeToString())


def _encode_float(key: str, value: float) -> bytes:
    return _float_head(key) + _FLOAT.pack(value)


@functools.lru_cache(maxsize=256)
def _float_head(key: str) -> bytes:
    """Return what comes before the number: a measurement is never twice the same."""
    return _encode_attribute(key, 0.0)[: -_FLOAT.size]


def _field(key: bytes, content: bytes) -> bytes:
    """Return a field of any length: seven bits of it a byte, the lowest first."""
    length, size = len(content), bytearray()
    while length > _LAST:
        size.append(length & _LAST | _MORE)
        length >>= 7
    size.append(length)
    return b"".join((key, size, content))
