"""Layers: what a connection passes on its way to the application; each is an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import attrs

from msp_core.asgi import ASGIApp, Message, Receive, Scope, Send, header

# The server's own, which has the same to say when there was no answer yet.
_SERVER = logging.getLogger("uvicorn.error")

_MAPPED = "::ffff:"

logger = logging.getLogger("msp.http")

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

        async def send_closing(message: Message) -> None:
            nonlocal closing
            if message["type"] == "http.response.start" and self.draining():
                closing = True
                kept = [pair for pair in message.get("headers", ()) if pair[0] != b"connection"]
                message["headers"] = [*kept, (b"connection", b"close")]
            elif closing and not message.get("more_body"):
                await body.discard()
            await send(message)

        await self.app(scope, body.receive, send_closing)


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


@attrs.frozen
class Answered:
    """ASGI application: logs an error that comes after the whole answer, and ends it there.

    Frameworks answer 500 and raise the error on. The server would close the connection then,
    though it has just promised the client to keep it: the next request would be lost.

    Attributes:
        app: the application.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        answered = False

        async def send_watched(message: Message) -> None:
            nonlocal answered
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self.app(scope, receive, send_watched)
        except Exception:
            if not answered:
                raise
            _SERVER.exception("Exception in ASGI application")


@attrs.frozen
class PlainAddress:
    """ASGI application: turns `::ffff:127.0.0.1` into `127.0.0.1`.

    A socket for both families gives every IPv4 address in IPv6's form, which applications that
    compare addresses do not expect.

    Attributes:
        app: the application.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        for end in ("client", "server"):
            address = scope.get(end)
            if address and address[0].startswith(_MAPPED):
                scope[end] = (address[0].removeprefix(_MAPPED), *address[1:])
        await self.app(scope, receive, send)


@attrs.frozen
class WebSocketRefusal:
    """ASGI application: answers 501 to a websocket handshake that the server did not recognise.

    A server with a websocket library turns the handshake into a `websocket` scope; one without
    hands it on as an ordinary request, which an application answers with a puzzling 404.

    Attributes:
        app: gets everything else.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and (header(scope, b"upgrade") or b"").lower() == b"websocket":
            logger.warning("websocket refused: no library for it, pip install websockets")
            await _refuse(send)
        else:
            await self.app(scope, receive, send)


async def _refuse(send: Send) -> None:
    body = b"this server has no websocket support"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 501, "headers": headers})
    await send({"type": "http.response.body", "body": body})
