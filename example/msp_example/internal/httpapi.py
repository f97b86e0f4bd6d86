"""The HTTP application: a plain Starlette one that knows nothing of the runtime but the auth."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from msp_core import Diagnostics
from msp_example.internal.proxy import METHODS, proxy
from msp_example.internal.visits import Visits


def make_app(variable: str, visits: Visits | None, diagnostics: Diagnostics) -> Starlette:
    """Return the application.

    Args:
        variable: what `/` answers with.
        visits: what `/visits` counts with; None leaves the route out.
        diagnostics: guards `/proxy` with the diagnostics secret.
    """

    async def index(_: Request) -> PlainTextResponse:
        return PlainTextResponse(f"Variable: {variable}")

    guarded = [Middleware(diagnostics.require_secret)]
    routes = [
        Route("/", index),
        Route("/proxy", proxy, methods=METHODS, middleware=guarded),
    ]
    if visits is not None:
        routes.append(_visits_route(visits))
    return Starlette(routes=routes)


def _visits_route(visits: Visits) -> Route:
    async def add(_: Request) -> JSONResponse:
        return JSONResponse(await visits.add())

    return Route("/visits", add)
