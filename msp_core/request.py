"""RequestContext: the identity of a request, read from its headers; log lines carry it."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

import attrs

from msp_core.asgi import Scope, header

# Long enough for every common scheme, and nothing in it that could forge or break a log line.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-3]))?")
_SAMPLED = 1


@attrs.frozen(kw_only=True)
class RequestContext:
    """Identity of one HTTP request.

    Attributes:
        request_id: from `X-Request-ID` when that is sane, else made anew.
        trace_id: 32 hex digits from `traceparent` or `X-Cloud-Trace-Context`; None without.
        span_id: 16 hex digits, same sources; None without.
        sampled: whether the caller samples the trace; None when unknown.
    """

    request_id: str
    trace_id: str | None = None
    span_id: str | None = None
    sampled: bool | None = None


current_request: ContextVar[RequestContext | None] = ContextVar("current_request", default=None)
"""Of the request that is being served where this is read; None elsewhere."""


def identity(scope: Scope) -> RequestContext:
    """Return the request's identity from its headers."""
    return read_context(
        request_id=_text(scope, b"x-request-id"),
        traceparent=_text(scope, b"traceparent"),
        cloud_trace=_text(scope, b"x-cloud-trace-context"),
    )


def read_context(
    *, request_id: str | None, traceparent: str | None, cloud_trace: str | None
) -> RequestContext:
    """Return the identity that three headers give; what is malformed counts as absent.

    Args:
        request_id: `X-Request-ID`; made anew when absent or not sane.
        traceparent: W3C's header, preferred.
        cloud_trace: `X-Cloud-Trace-Context`, Google's older one.
    """
    identity = request_id if request_id and _REQUEST_ID.fullmatch(request_id) else uuid.uuid4().hex
    trace = _w3c(traceparent or "") or _google(cloud_trace or "") or (None, None, None)
    return RequestContext(
        request_id=identity, trace_id=trace[0], span_id=trace[1], sampled=trace[2]
    )


def _text(scope: Scope, name: bytes) -> str | None:
    value = header(scope, name)
    return None if value is None else value.decode("latin-1")


def _w3c(header: str) -> tuple[str, str, bool] | None:
    match = _TRACEPARENT.fullmatch(header.strip())
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return match[1], match[2], bool(int(match[3], 16) & _SAMPLED)


def _google(header: str) -> tuple[str, str | None, bool | None] | None:
    match = _CLOUD_TRACE.fullmatch(header.strip())
    if match is None or not int(match[1], 16):
        return None
    span = int(match[2] or 0)
    sampled = None if match[3] is None else bool(int(match[3]) & _SAMPLED)
    return match[1].lower(), f"{span:016x}" if 0 < span < 1 << 64 else None, sampled
