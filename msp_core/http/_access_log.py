"""The access log: one line about each request."""

from __future__ import annotations

import logging

from msp_core._text.durations import format_seconds
from msp_core._text.for_people import CONSOLE, ForPeople
from msp_core.asgi import CRASHED
from msp_core.http._exchange import Exchange
from msp_core.request import RequestContext

access_logger = logging.getLogger("msp.http.access")


def log_access(exchange: Exchange, context: RequestContext) -> None:
    """Log one line about a request that is over.

    Args:
        exchange: the request and its answer.
        context: its identity.
    """
    method, path, status = exchange.method, exchange.path, exchange.status or CRASHED
    seconds = round(exchange.age, 6)
    access_logger.info(
        "%s %s %d",
        method,
        path,
        status,
        extra={
            CONSOLE: ForPeople(f"{method} {path} {status} {format_seconds(seconds)}"),
            "method": method,
            "path": path,
            "status": status,
            "duration": seconds,
            "request_id": context.request_id,
            "client": exchange.client[0] if exchange.client else None,
        },
    )
