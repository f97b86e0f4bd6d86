"""Answered: keeps a connection whose application failed after it had answered."""

from __future__ import annotations

import logging

import attrs

from msp_core.asgi import ASGIApp, Message, Receive, Scope, Send

# The server's own, which has the same to say when there was no answer yet.
logger = logging.getLogger("uvicorn.error")


@attrs.frozen
class Answered:
    """ASGI application: logs an error that comes after the whole answer, and ends it there.

    Frameworks answer 500 and raise the error on. The server would close the connection then,
    though it has just told the client that it may be used again: the next request would be lost.

    Attributes:
        app: the application.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        answered = False

        async def tell(message: Message) -> None:
            nonlocal answered
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self.app(scope, receive, tell)
        except Exception:
            if not answered:
                raise
            logger.exception("Exception in ASGI application")
