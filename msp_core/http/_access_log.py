"""AccessLog: gives each request its identity and writes one line about it."""

from __future__ import annotations

import logging

from msp_core._text.durations import format_seconds
from msp_core._text.for_people import CONSOLE, ForPeople
from msp_core.asgi import CRASHED, ASGIApp, Message, Receive, Scope, Send, shown_path
from msp_core.http._inflight import Inflight, InflightRequest
from msp_core.request import RequestContext, current_request, identity

logger = logging.getLogger("msp.http.access")

_REQUEST_ID = b"x-request-id"
_STATUS = {
    "websocket.accept": 101,
    "websocket.close": 403,  # only when it comes first: the handshake was refused
}


class AccessLog:
    """ASGI application: sets the request's identity, answers with it, logs one line at the end.

    Args:
        app: the application.
        inflight: where requests are counted in while they are served.
    """

    def __init__(self, app: ASGIApp, inflight: Inflight) -> None:
        self._app = app
        self._inflight = inflight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        context = identity(scope)
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if not status:
                status = message.get("status") or _STATUS.get(message["type"], CRASHED)
                _add_request_id(message, context)
            await send(message)

        path = shown_path(scope)
        token = current_request.set(context)
        try:
            with self._inflight.count_in(scope.get("method", "GET"), path) as request:
                try:
                    await self._app(scope, receive, send_noted)
                finally:
                    _log(request, status or CRASHED, scope, context)
        finally:
            current_request.reset(token)


def _add_request_id(message: Message, context: RequestContext) -> None:
    if message["type"] == "websocket.close":
        return
    headers = list(message.get("headers", ()))
    if not any(name.lower() == _REQUEST_ID for name, _ in headers):
        headers.append((_REQUEST_ID, context.request_id.encode()))
    message["headers"] = headers


def _log(request: InflightRequest, status: int, scope: Scope, context: RequestContext) -> None:
    client = scope.get("client")
    seconds = round(request.age, 6)
    shown = f"{request.method} {request.path} {status} {format_seconds(seconds)}"
    logger.info(
        "%s %s %d",
        request.method,
        request.path,
        status,
        extra={
            CONSOLE: ForPeople(shown),
            "method": request.method,
            "path": request.path,
            "status": status,
            "duration": seconds,
            "request_id": context.request_id,
            "client": client[0] if client else None,
        },
    )
