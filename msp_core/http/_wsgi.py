"""ThreadedWSGI: a WSGI application as an ASGI one, its requests served in threads."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import a2wsgi

from msp_core.asgi import ASGIApp, Receive, Scope, Send
from msp_core.http._inflight import note_thread

# As many as Starlette gives synchronous endpoints.
_THREADS = 40


class ThreadedWSGI:
    """ASGI application around a WSGI one.

    The request's context variables are visible in its thread.

    Args:
        app: the WSGI application.
    """

    def __init__(self, app: WSGIApplication) -> None:
        def call_noted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            note_thread()
            environ["wsgi.errors"] = sys.stderr  # a2wsgi says stdout, which is for output
            return app(environ, start_response)

        middleware = a2wsgi.WSGIMiddleware(call_noted, workers=_THREADS)  # type: ignore[arg-type] # has WSGI types of its own
        self._serve: ASGIApp = middleware
        self._executor = middleware.executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._serve(scope, receive, send)

    def close(self) -> None:
        """Let the threads end once they are idle."""
        self._executor.shutdown(wait=False)
