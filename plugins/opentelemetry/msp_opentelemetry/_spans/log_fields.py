"""Trace ids for log lines. Imports the API."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace


def add_trace(record: Any, fields: dict[str, Any]) -> None:  # noqa: ANN401 - a LogRecord; the hook's signature
    """Add the trace of the current span; what `extra` says itself wins."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid and not hasattr(record, "trace_id"):
        fields["trace_id"] = trace.format_trace_id(span.trace_id)
        fields["span_id"] = trace.format_span_id(span.span_id)
        fields["trace_sampled"] = span.trace_flags.sampled
