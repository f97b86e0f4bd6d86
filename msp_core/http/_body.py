"""Body: what of a request's body the application has read, and the rest of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Container

from msp_core.asgi import Message, Receive

# Seconds for the rest of a body that the application left unread.
_PATIENCE = 1.0


class Body:
    """The body of a request, as the application reads it.

    Args:
        receive: the server's.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Message:
        """Return the next part, as the server gives it."""
        message = await self._receive()
        self._ended = not message.get("more_body")
        return message

    async def discard(self) -> None:
        """Read what is left: closing on unread bytes resets the connection, answer and all."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not self._ended:
                    await self.receive()


def has_body(headers: Container[bytes]) -> bool:
    """Return whether a request has a body: one of two headers says so."""
    return b"content-length" in headers or b"transfer-encoding" in headers
