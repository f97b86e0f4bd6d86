"""Which protocol an application speaks, ASGI or WSGI."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

from msp_core.errors import UsageError

Interface = Literal["asgi", "wsgi"]

_ASGI_ARGUMENTS = 3  # scope, receive, send
_WSGI_ARGUMENTS = 2  # environ, start_response


def interface_of(app: Callable[..., Any]) -> Interface:
    """Return which protocol the application speaks, by how it can be called.

    Raises:
        UsageError: it could be either, or neither.
    """
    call = getattr(app, "__call__", None)  # noqa: B004 - its signature is wanted, too
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call):
        return "asgi"
    asgi, wsgi = _accepts(app, _ASGI_ARGUMENTS), _accepts(app, _WSGI_ARGUMENTS)
    if asgi is wsgi:
        raise UsageError(
            f"{type(app).__name__!r} object is not plainly an ASGI or a WSGI application: "
            'expected HTTPServer(app, contract, interface="asgi") or "wsgi"'
        )
    return "asgi" if asgi else "wsgi"


def _accepts(app: Callable[..., Any], arguments: int) -> bool:
    try:
        inspect.signature(app).bind(*range(arguments))
    except (TypeError, ValueError):  # the second where a callable hides its signature
        return False
    return True
