"""The service on the runtime: HTTP, health, JSON logs, and the plugins that arguments name."""

import sys
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from msp_cloudsql import CloudSQL
from msp_core import Routine, ServiceContract, hookimpl, start
from msp_core.http import HTTPServer
from msp_redis import Redis


class Counter:
    """Answers one SELECT and one INCR."""

    name = "counter"
    version = "1"

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract) -> Routine:
        """Take the clients."""
        pool, redis = contract[CloudSQL].pool("primary"), contract[Redis].client()

        async def answer(_: Request) -> JSONResponse:
            async with pool.connection() as connection:
                cursor = await connection.execute("SELECT 1")
                row = await cursor.fetchone()
            return JSONResponse({"postgresql": row and row[0], "redis": await redis.incr("bench")})

        return HTTPServer(Starlette(routes=[Route("/", answer)]), contract)

    @hookimpl
    async def msp_healthy(self, query: Mapping[str, str]) -> None:
        """Be healthy; the plugins' own checks ping both."""


if __name__ == "__main__":
    start(Counter(), plugins=tuple(sys.argv[1:]))
