"""What the ASGI scope of a connection says: its headers, and the identity they give."""

from __future__ import annotations

from msp_core._request import RequestContext
from msp_core._trace_context import read_context
from msp_core.asgi import Scope


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of that lower-case name."""
    return next((value for key, value in scope["headers"] if key == name), None)


def identity(scope: Scope) -> RequestContext:
    """Return the request's identity from its headers."""
    return read_context(
        request_id=_text(scope, b"x-request-id"),
        traceparent=_text(scope, b"traceparent"),
        cloud_trace=_text(scope, b"x-cloud-trace-context"),
    )


def _text(scope: Scope, name: bytes) -> str | None:
    value = header(scope, name)
    return None if value is None else value.decode("latin-1")
