"""The ASGI protocol, as far as the runtime speaks it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI 3 application: (scope, receive, send) -> awaitable."""

ASGIMiddleware = Callable[[ASGIApp], ASGIApp]
"""app -> app."""


# What a path may hold as it is, beside letters, digits and `-._~`.
_UNQUOTED = "/:@!$&'()*+,;="
_is_plain = re.compile(rf"[\w\-.~{re.escape(_UNQUOTED)}]*", re.ASCII).fullmatch

# What the server answers when the application raises before it answered.
CRASHED = 500


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of that lower-case name."""
    return next((value for key, value in scope["headers"] if key == name), None)


def shown_path(scope: Scope) -> str:
    """Return the path of a request as it may be shown: percent-encoded, so it can forge no line."""
    return quoted_path(scope["path"])


def quoted_path(path: str) -> str:
    """Return a path as it may be shown; see `shown_path`."""
    # Most paths need nothing, which is found out in half the time that quoting takes.
    return path if _is_plain(path) else quote(path, safe=_UNQUOTED)
