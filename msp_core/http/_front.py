"""Front: all that the runtime does for a request, around the application and its middleware."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Any

from msp_core.asgi import ASGIApp, Receive, Scope, Send
from msp_core.diagnostics._asgi import Endpoints
from msp_core.http._access_log import access_logger, log_access
from msp_core.http._body import Body, has_body
from msp_core.http._exchange import Exchange
from msp_core.http._inflight import Inflight
from msp_core.http._refusal import is_unserved_websocket, refuse_websocket
from msp_core.request import current_request, identity_of

# The server's own, which has the same to say when there was no answer yet.
_SERVER = logging.getLogger("uvicorn.error")

_MAPPED = "::ffff:"

Address = tuple[Any, ...]


class Front:
    """ASGI application: one call around each request, which does only what that request needs.

    In this order: addresses as people write them; the endpoints of diagnostics, which meet nothing
    else; the request's identity; in flight until its answer is out; a websocket that nobody can
    serve; the application; a line in the access log. What happens to an answer is in `Exchange`.

    An error after the whole answer is logged and ends there: frameworks answer 500 and raise it on.
    The server would close the connection then, though it has just promised the client to keep it,
    and the next request would be lost.

    Args:
        app: the application with its middleware.
        endpoints: of diagnostics.
        inflight: where requests are counted in while they are served.
        is_draining: () -> whether the server is about to stop.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        endpoints: Endpoints,
        inflight: Inflight,
        is_draining: Callable[[], bool],
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._inflight = inflight
        self._is_draining = is_draining
        # Given to `current_task`, which asks the system for the process's id to find its own.
        self._loop = asyncio.get_running_loop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        scope["client"] = plain_address(scope.get("client"))
        scope["server"] = plain_address(scope.get("server"))
        # Of a header that comes twice the first counts.
        headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        body = Body(receive) if has_body(headers) else None
        if body is not None:
            receive = body.receive
        task = asyncio.current_task(self._loop)
        if kind == "http" and scope["path"] in self._endpoints.paths:
            answer = Exchange(scope, task, body, send, self._is_draining)
            await self._endpoints(scope, receive, answer.send)
            return
        context = identity_of(headers)
        exchange = Exchange(scope, task, body, send, self._is_draining, context.request_id)
        app = refuse_websocket if is_unserved_websocket(kind, headers) else self._app
        # Not put back: the server serves each request in a task, and so a context, of its own.
        current_request.set(context)
        self._inflight.count_in(exchange)
        try:
            await app(scope, receive, exchange.send)
        except Exception:
            if not exchange.answered:
                raise
            _SERVER.exception("Exception in ASGI application")
        finally:
            self._inflight.count_out(exchange)
            if access_logger.isEnabledFor(logging.INFO):
                log_access(exchange, context)


@functools.lru_cache(maxsize=1024)  # a connection's requests all have the same two
def plain_address(address: Address | None) -> Address | None:
    """Turn `::ffff:127.0.0.1` into `127.0.0.1`.

    A socket for both families gives every IPv4 address in IPv6's form, which applications that
    compare addresses do not expect.
    """
    if address is None or not address[0].startswith(_MAPPED):
        return address
    return (address[0].removeprefix(_MAPPED), *address[1:])
