"""The service on aiomisc: its service for uvicorn, its JSON logs; telemetry by hand."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiomisc import entrypoint
from aiomisc.service.uvicorn import UvicornApplication, UvicornService
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.peers.resources import ask_both, make_bigquery, make_pool, make_redis, open_both
from benchmarks.services.telemetry_by_hand import set_up_telemetry


class Counter(UvicornService):
    """Serves the application."""

    host = "0.0.0.0"  # noqa: S104 - as in production
    port = int(os.environ["PORT"])

    async def create_application(self) -> UvicornApplication:
        """Return the application."""
        pool, redis = make_pool(), make_redis()

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            app.state.bigquery = make_bigquery()
            async with open_both(pool, redis):
                yield

        async def answer(_: Request) -> JSONResponse:
            return JSONResponse(await ask_both(pool, redis))

        app: Any = Starlette(routes=[Route("/", answer)], lifespan=lifespan)
        StarletteInstrumentor.instrument_app(app)
        return app


if __name__ == "__main__":
    set_up_telemetry("counter")
    PsycopgInstrumentor().instrument()
    RedisInstrumentor().instrument()
    with entrypoint(Counter(), log_level="info", log_format="json") as loop:
        loop.run_forever()
