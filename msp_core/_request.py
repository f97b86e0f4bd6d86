"""RequestContext: what every log line written while a request is served carries."""

from __future__ import annotations

from contextvars import ContextVar

import attrs


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
