"""HTTPServer: serves an ASGI or WSGI application as a routine (extra `http`).

A connection passes these layers, from the outside to the application:

    PlainAddress        IPv4 addresses as people write them
    Answered            an error after the whole answer does not cost the connection
    Closing             `connection: close` on every answer while the server drains
    Diagnostics         answers `/-/`, hands on everything else
    AccessLog           one line for each request, counted as in flight until its answer is out
    WebSocketRefusal    501 where no websocket library is installed
    middleware          of the plugins, the first of `contract.middleware` outermost
    the application
"""

from __future__ import annotations

from msp_core.http._server import HTTPServer

__all__ = ["HTTPServer"]
