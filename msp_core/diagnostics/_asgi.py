"""Diagnostics in front of an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from typing import Protocol

import attrs

from msp_core.asgi import ASGIApp, Receive, Scope, Send, header
from msp_core.diagnostics._answer import Answer
from msp_core.request import current_request, identity


class Respond(Protocol):
    """Answers one request to a diagnostics endpoint."""

    async def __call__(
        self, method: str, path: str, query: str, authorization: bytes | None
    ) -> Answer:
        """Return the answer to that method, path and raw query string."""
        ...


@attrs.frozen(eq=False)
class Endpoints:
    """ASGI application: answers the paths of diagnostics, passes everything else on.

    Attributes:
        paths: the ones it answers.
        respond: gives the answers.
        app: gets the rest.
    """

    paths: Container[str]
    respond: Respond
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] not in self.paths:
            await self.app(scope, receive, send)
            return
        token = current_request.set(identity(scope))
        try:
            query = scope["query_string"].decode("latin-1")
            authorization = header(scope, b"authorization")
            answer = await self.respond(scope["method"], scope["path"], query, authorization)
        finally:
            current_request.reset(token)
        await _send(answer, scope["method"], send)


@attrs.frozen(eq=False)
class Guard:
    """ASGI application: lets only callers pass who know the diagnostics secret.

    Attributes:
        refuse: (authorization header) -> answer, or None to let pass.
        app: what is guarded.
    """

    refuse: Callable[[bytes | None], Answer | None]
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        refused = None
        if scope["type"] != "lifespan":
            refused = self.refuse(header(scope, b"authorization"))
        if refused is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # A close before the handshake was accepted makes the server answer 403.
            await send({"type": "websocket.close", "code": 1008, "reason": "unauthorized"})
        else:
            await _send(refused, scope["method"], send)


def _send(answer: Answer, method: str, send: Send) -> Awaitable[None]:
    return send_answer(answer, send, body=method != "HEAD")


async def send_answer(answer: Answer, send: Send, *, body: bool = True) -> None:
    """Send a complete answer, without its body when that is not wanted."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if body else b""})
