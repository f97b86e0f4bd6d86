"""The service on svcs: Starlette, as its page says; structlog, telemetry by hand."""

from collections.abc import AsyncIterator
from typing import Any

import svcs
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.peers.resources import ask_both, make_bigquery, make_pool, make_redis, open_both
from benchmarks.services.bare_logged import serve
from benchmarks.services.telemetry_by_hand import set_up_telemetry


@svcs.starlette.lifespan
async def lifespan(app: Starlette, registry: svcs.Registry) -> AsyncIterator[dict[str, object]]:
    """Register both."""
    app.state.bigquery = make_bigquery()
    pool, redis = make_pool(), make_redis()
    async with open_both(pool, redis):
        registry.register_value(AsyncConnectionPool, pool, ping=lambda _: pool.check())
        registry.register_value(Redis, redis, ping=lambda _: redis.ping())
        yield {}


async def answer(request: Request) -> JSONResponse:
    """Answer one SELECT and one INCR."""
    pool, redis = await svcs.starlette.aget(request, AsyncConnectionPool, Redis)
    return JSONResponse(await ask_both(pool, redis))


if __name__ == "__main__":
    set_up_telemetry("counter")
    PsycopgInstrumentor().instrument()
    RedisInstrumentor().instrument()
    routes, middleware = [Route("/", answer)], [Middleware(svcs.starlette.SVCSMiddleware)]
    app: Any = Starlette(lifespan=lifespan, routes=routes, middleware=middleware)
    StarletteInstrumentor.instrument_app(app)
    serve(app)
