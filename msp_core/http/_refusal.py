"""The answer to a websocket handshake that the server did not recognise."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from msp_core.asgi import Receive, Scope, Send

logger = logging.getLogger("msp.http")


def is_unserved_websocket(kind: str, headers: Mapping[bytes, bytes]) -> bool:
    """Return whether an ordinary request is a websocket's handshake.

    A server with a websocket library turns the handshake into a `websocket` scope; one without
    hands it on as an ordinary request, which an application answers with a puzzling 404.

    Args:
        kind: of the scope.
        headers: by lower-case name.
    """
    upgrade = headers.get(b"upgrade")
    return upgrade is not None and kind == "http" and upgrade.lower() == b"websocket"


async def refuse_websocket(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 501."""
    logger.warning("websocket refused: no library for it, pip install websockets")
    body = b"this server has no websocket support"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 501, "headers": headers})
    await send({"type": "http.response.body", "body": body})
