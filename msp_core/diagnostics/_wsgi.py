"""Diagnostics in front of a WSGI application."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Container, Coroutine, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from msp_core.diagnostics._answer import Answer
from msp_core.diagnostics._asgi import Respond
from msp_core.request import current_request, read_context

# Seconds; above the timeout of a check, so reached only when the event loop itself is stuck.
_PATIENCE = 5.0


class WSGIEndpoints:
    """WSGI application: answers the paths of diagnostics, passes everything else on.

    Args:
        paths: the ones it answers.
        respond: gives the answers.
        app: gets the rest.
        loop: () -> the event loop where the clients belong which the checks use. Default: the one
            this object was made on; where there is none, one for each call, one at a time.
    """

    def __init__(
        self,
        paths: Container[str],
        respond: Respond,
        app: WSGIApplication,
        loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        self._paths = paths
        self._respond = respond
        self._app = app
        self._loop = loop
        self._here = None if loop else _running_loop()
        self._alone = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        path = _path(environ)
        if path not in self._paths:
            return self._app(environ, start_response)
        token = current_request.set(
            read_context(
                request_id=environ.get("HTTP_X_REQUEST_ID"),
                traceparent=environ.get("HTTP_TRACEPARENT"),
                cloud_trace=environ.get("HTTP_X_CLOUD_TRACE_CONTEXT"),
            )
        )
        try:
            answer = self._run(
                self._respond(
                    environ["REQUEST_METHOD"],
                    path,
                    environ.get("QUERY_STRING", ""),
                    _authorization(environ),
                )
            )
        finally:
            current_request.reset(token)
        return _send(answer, environ, start_response)

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        loop = self._loop() if self._loop else self._here
        if loop is None:
            with self._alone:
                return asyncio.run(work)
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(_PATIENCE)
        except TimeoutError:
            future.cancel()
            return Answer.text(503, "stuck")


class WSGIGuard:
    """WSGI application: lets only callers pass who know the diagnostics secret.

    Args:
        refuse: (authorization header) -> answer, or None to let pass.
        app: what is guarded.
    """

    def __init__(
        self, refuse: Callable[[bytes | None], Answer | None], app: WSGIApplication
    ) -> None:
        self._refuse = refuse
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        refused = self._refuse(_authorization(environ))
        if refused is None:
            return self._app(environ, start_response)
        return _send(refused, environ, start_response)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _path(environ: WSGIEnvironment) -> str:
    path: str = environ.get("PATH_INFO", "")
    return path


def _authorization(environ: WSGIEnvironment) -> bytes | None:
    value: str | None = environ.get("HTTP_AUTHORIZATION")
    return None if value is None else value.encode("latin-1")


def _send(answer: Answer, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    start_response(status, answer.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]
