"""HTTPServer: serves an ASGI or WSGI application as a routine (extra `http`).

Around each request there is one call, of `Front`, which does only what that request needs:

    addresses           of IPv4 as people write them
    `/-/`               is answered by diagnostics, past all that follows
    identity            of the request, for log lines and answer
    in flight           until the whole answer is out; what goes wrong later costs no connection
    a websocket         gets 501 where no library for them is installed
    middleware          of the plugins, the first of `contract.middleware` outermost
    the application     and on the way back, through `Exchange`: the request's id, and
                        `connection: close` while the server drains
    the access log      one line
"""

from __future__ import annotations

from msp_core.http._server import HTTPServer

__all__ = ["HTTPServer"]
