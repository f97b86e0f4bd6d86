"""Closing: tells clients to use another connection once the server is about to stop."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from msp_core.asgi import ASGIApp, Message, Receive, Scope, Send


@attrs.frozen
class Closing:
    """ASGI application: adds `connection: close` to answers while the server drains.

    Attributes:
        draining: () -> whether the server is about to stop.
        app: the application.
    """

    draining: Callable[[], bool]
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and self.draining():
                kept = [pair for pair in message.get("headers", ()) if pair[0] != b"connection"]
                message["headers"] = [*kept, (b"connection", b"close")]
            await send(message)

        await self.app(scope, receive, tell)
