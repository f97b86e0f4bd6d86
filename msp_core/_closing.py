"""Closing: ends connections after their answer once the server is about to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import attrs

from msp_core.asgi import ASGIApp, Message, Receive, Scope, Send

# Seconds for the rest of a body that the application left unread.
_PATIENCE = 1.0


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
        body = _Body(receive)
        closing = False

        async def tell(message: Message) -> None:
            nonlocal closing
            if message["type"] == "http.response.start" and self.draining():
                closing = True
                kept = [pair for pair in message.get("headers", ()) if pair[0] != b"connection"]
                message["headers"] = [*kept, (b"connection", b"close")]
            elif closing and not message.get("more_body"):
                await body.discard()
            await send(message)

        await self.app(scope, body.receive, tell)


class _Body:
    """The body of a request, as the application reads it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body")
        return message

    async def discard(self) -> None:
        """Read what is left: closing on unread bytes resets the connection, answer and all."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not self._ended:
                    await self.receive()
