"""The same service by hand: the same libraries, imported and opened eagerly, no runtime."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from psycopg_pool import AsyncConnectionPool
from pythonjsonlogger.json import JsonFormatter
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

dsn = os.environ["PGDSN"].replace("{{ .Database }}", "primary")
pool = AsyncConnectionPool(dsn, open=False)
redis = Redis.from_url(os.environ["REDIS_ENDPOINT"])


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open both, and be sure they answer, before the first request."""
    await pool.open(wait=True)
    await redis.ping()
    yield
    await redis.aclose()
    await pool.close()


async def answer(_: Request) -> JSONResponse:
    """Answer one SELECT and one INCR."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT 1")
        row = await cursor.fetchone()
    return JSONResponse({"postgresql": row and row[0], "redis": await redis.incr("bench")})


def log_json() -> None:
    """Log JSON to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(["asctime", "levelname", "name", "message"]))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


app = Starlette(routes=[Route("/", answer)], lifespan=lifespan)

if __name__ == "__main__":
    log_json()
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - as in production
        port=int(os.environ["PORT"]),
        http="httptools",
        loop="uvloop",
        log_config=None,
    )
