"""WebSocketRefusal: a clear answer where no websocket library is installed."""

from __future__ import annotations

import logging

import attrs

from msp_core._scope import header
from msp_core.asgi import ASGIApp, Receive, Scope, Send
from msp_core.diagnostics._answer import Answer
from msp_core.diagnostics._asgi import send_answer

logger = logging.getLogger("msp.http")

_ANSWER = Answer.text(501, "this server has no websocket support", ("connection", "close"))


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
            await send_answer(_ANSWER, send)
        else:
            await self.app(scope, receive, send)
