"""The bare server with an access log of JSON: structlog as its page on performance says, orjson."""

import logging
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
import uvicorn

ASGIApp = Callable[..., Awaitable[None]]

structlog.configure(
    cache_logger_on_first_use=True,
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
)
logger = structlog.get_logger("access")


class AccessLog:
    """ASGI application: gives each request an id, answers with it, logs one line at the end.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, request_id = time.perf_counter(), 500, uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_noted(message: Any) -> None:  # noqa: ANN401 - of ASGI
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            logger.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration=time.perf_counter() - began,
                client=scope["client"][0],
            )


def serve(app: ASGIApp) -> None:
    """Serve an application with this access log until the process is ended."""
    uvicorn.run(
        AccessLog(app),
        host="0.0.0.0",  # noqa: S104 - as in production
        port=int(os.environ["PORT"]),
        http="httptools",
        loop="uvloop",
        access_log=False,
    )


if __name__ == "__main__":
    from benchmarks.services.bare import app

    serve(app)
