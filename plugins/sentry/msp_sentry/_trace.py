"""The trace that an event belongs to, found without asking for OpenTelemetry to be installed."""

from __future__ import annotations

import sys

from msp_core import current_request


def opentelemetry_span() -> dict[str, str] | None:
    """Return trace and span id of OpenTelemetry's current span; None without one."""
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    context = api.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def request_span() -> dict[str, str] | None:
    """Return the trace and span id that came with the current request; None without."""
    request = current_request.get()
    if request is None or request.trace_id is None or request.span_id is None:
        return None
    return {"trace_id": request.trace_id, "span_id": request.span_id}
