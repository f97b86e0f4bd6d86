"""The smallest application of Starlette; measured services share it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(_: Request) -> JSONResponse:
    """Answer a greeting."""
    return JSONResponse({"hello": "you"})


def starlette_app() -> Starlette:
    """Return the application."""
    return Starlette(routes=[Route("/", hello)])
