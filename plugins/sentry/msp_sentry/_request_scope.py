"""RequestScope: what Sentry learns about the request during which an error happens."""

from __future__ import annotations

import contextlib
import functools
import os
from contextlib import AbstractContextManager
from typing import Any

import attrs
import sentry_sdk
from sentry_sdk.tracing import Span

from msp_core import current_request
from msp_core.asgi import ASGIApp, Message, Receive, Scope, Send, header
from msp_sentry._outgoing import report


@attrs.frozen(kw_only=True, eq=False)
class RequestScope:
    """ASGI application: gives each request a scope of its own, and reports what ends it.

    The SDK's own middleware is not used: it drops the cause of every exception that passes
    through it, `raise … from None`, also from our log lines, and sends headers and query.

    Attributes:
        app: the application.
        tracing: whether Sentry traces requests.
        forked: whether requests fork the scopes of the task that serves them, see `make_scopes`.
    """

    app: ASGIApp
    tracing: bool
    forked: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        with sentry_sdk.isolation_scope() as isolation:
            if self.forked:  # what is not part of a trace is one of its own
                isolation.set_new_propagation_context()
                sentry_sdk.get_current_scope().set_new_propagation_context()
            isolation.add_event_processor(functools.partial(_add_request, scope))
            with self._transaction(scope) as transaction:
                await self._serve(scope, receive, _noting_status(send, transaction))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            # Here, while the request is known; the server's log line is no second event.
            report(error, logger="msp.http")
            raise

    def _transaction(self, scope: Scope) -> AbstractContextManager[Span | None]:
        if not self.tracing:
            return contextlib.nullcontext()
        name, operation = scope["path"], f"{scope['type']}.server"
        started = sentry_sdk.continue_trace(_headers(scope), op=operation, name=name, source="url")
        return sentry_sdk.start_transaction(started)


def make_scopes() -> bool:
    """Make the scopes that requests fork, where there are none; to be called where they are served.

    The SDK makes two for a request that finds none, which takes five times as long as a fork.

    Returns:
        Whether that was done: not where the process continues a trace of its environment, which
        only a new scope reads.
    """
    if os.environ.get("SENTRY_TRACE"):
        return False
    sentry_sdk.get_isolation_scope()
    sentry_sdk.get_current_scope()
    return True


def _noting_status(send: Send, transaction: Span | None) -> Send:
    if transaction is None:
        return send
    span = transaction

    async def send_noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_http_status(message["status"])
        await send(message)

    return send_noted


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers that continue a trace, the caller's W3C ones in Sentry's spelling."""
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    request = current_request.get()
    if request is not None and request.trace_id and request.span_id:
        headers.setdefault("sentry-trace", f"{request.trace_id}-{request.span_id}")
    return headers


def _add_request(scope: Scope, event: Any, _hint: Any) -> Any:  # noqa: ANN401 - the SDK's types
    """Add method and path, no header and no query: these hold what a log line must not, too."""
    host = (header(scope, b"host") or b"").decode("latin-1")
    event["request"] = {"url": f"{scope.get('scheme', 'http')}://{host}{scope['path']}"}
    if "method" in scope:
        event["request"]["method"] = scope["method"]
    # Starlette and FastAPI say which route it was; its template groups better than the path.
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        event["transaction"], event["transaction_info"] = route, {"source": "route"}
    return event
