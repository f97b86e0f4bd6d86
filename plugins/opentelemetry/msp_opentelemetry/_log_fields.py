"""Trace ids for log lines. Imports the API."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext

last_span: ContextVar[SpanContext | None] = ContextVar("msp_opentelemetry_last_span", default=None)
"""The span of the request that this context serves or has just served."""


def add_trace(record: Any, fields: dict[str, Any]) -> None:  # noqa: ANN401 - a LogRecord; the hook's signature
    """Add the trace of the current span, or of the request; what `extra` says itself wins."""
    if hasattr(record, "trace_id"):
        return
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        span = last_span.get() or span
    if span.is_valid:
        fields["trace_id"] = trace.format_trace_id(span.trace_id)
        fields["span_id"] = trace.format_span_id(span.span_id)
        fields["trace_sampled"] = span.trace_flags.sampled
