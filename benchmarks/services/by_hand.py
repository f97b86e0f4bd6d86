"""The same service by hand: the same libraries, imported and opened eagerly, no runtime."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from pythonjsonlogger.json import JsonFormatter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.peers.resources import ask_both, make_bigquery, make_pool, make_redis, open_both

pool, redis, bigquery = make_pool(), make_redis(), make_bigquery()


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open both, and be sure they answer, before the first request."""
    async with open_both(pool, redis):
        yield


async def answer(_: Request) -> JSONResponse:
    """Answer one SELECT and one INCR."""
    return JSONResponse(await ask_both(pool, redis))


def log_json() -> None:
    """Log JSON to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(["asctime", "levelname", "name", "message"]))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


app = Starlette(routes=[Route("/", answer)], lifespan=lifespan)

if __name__ == "__main__":
    log_json()
    if "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ:
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
        from opentelemetry.instrumentation.redis import RedisInstrumentor
        from opentelemetry.instrumentation.starlette import StarletteInstrumentor

        from benchmarks.services.telemetry_by_hand import set_up_telemetry

        set_up_telemetry("counter")
        PsycopgInstrumentor().instrument()
        RedisInstrumentor().instrument()
        StarletteInstrumentor.instrument_app(app)
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - as in production
        port=int(os.environ["PORT"]),
        http="httptools",
        loop="uvloop",
        log_config=None,
    )
