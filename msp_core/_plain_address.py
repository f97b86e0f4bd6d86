"""PlainAddress: IPv4 addresses as people write them."""

from __future__ import annotations

import attrs

from msp_core.asgi import ASGIApp, Receive, Scope, Send

_MAPPED = "::ffff:"


@attrs.frozen
class PlainAddress:
    """ASGI application: turns `::ffff:127.0.0.1` into `127.0.0.1`.

    A socket for both families tells every IPv4 address in IPv6's form, which applications that
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
