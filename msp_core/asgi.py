"""Types of the ASGI protocol, as far as the runtime speaks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI 3 application: (scope, receive, send) -> awaitable."""

ASGIMiddleware = Callable[[ASGIApp], ASGIApp]
"""app -> app."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of that lower-case name."""
    return next((value for key, value in scope["headers"] if key == name), None)
