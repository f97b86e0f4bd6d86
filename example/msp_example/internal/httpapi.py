"""The HTTP application: a plain Starlette one that knows nothing of the runtime but the auth."""

from __future__ import annotations

from opentelemetry import metrics
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from msp_core import Diagnostics
from msp_example.internal.proxy import METHODS, proxy
from msp_example.internal.turnstile import TurnedAwayError, Turnstile
from msp_example.internal.visits import Visits


def make_app(
    variable: str, visits: Visits | None, turnstile: Turnstile, diagnostics: Diagnostics
) -> Starlette:
    """Return the application.

    Args:
        variable: what `/` answers with.
        visits: what counts visits; None leaves `/visits` out.
        turnstile: lets visitors of `/visits` in.
        diagnostics: guards `/proxy` and `/debug/raise` with the diagnostics secret.
    """
    meter = metrics.get_meter("msp_example")
    requests = meter.create_counter("example.requests", "{request}", "requests for the variable")

    async def index(_: Request) -> PlainTextResponse:
        requests.add(1)
        if visits is not None:
            await visits.add("/")
        return PlainTextResponse(f"Variable: {variable}")

    guarded = [Middleware(diagnostics.require_secret)]
    routes = [
        Route("/", index),
        Route("/proxy", proxy, methods=METHODS, middleware=guarded),
        Route("/debug/raise", fail, middleware=guarded),
    ]
    if visits is not None:
        routes.append(_visits_route(visits, turnstile))
    return Starlette(routes=routes)


async def fail(_: Request) -> PlainTextResponse:
    """Raise, to see where that is reported."""
    raise RuntimeError("raised on purpose")


def _visits_route(visits: Visits, turnstile: Turnstile) -> Route:
    async def add(request: Request) -> Response:
        try:
            with turnstile.pass_through():
                return JSONResponse(await visits.add(request.url.path))
        except TurnedAwayError:
            return PlainTextResponse("too many visitors at once", 503, {"retry-after": "1"})

    return Route("/visits", add)
