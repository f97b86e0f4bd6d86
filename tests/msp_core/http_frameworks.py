"""Applications of the frameworks people use, as their users write them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest


def starlette_app() -> Callable[..., Any]:
    """Give a Starlette application."""
    from starlette.applications import Starlette  # noqa: PLC0415 - one framework per test
    from starlette.requests import Request  # noqa: PLC0415 - same
    from starlette.responses import PlainTextResponse  # noqa: PLC0415 - same
    from starlette.routing import Route  # noqa: PLC0415 - same

    async def echo(request: Request) -> PlainTextResponse:
        logging.getLogger("app").info("inside")
        return PlainTextResponse((await request.body()).decode())

    return Starlette(routes=[Route("/echo", echo, methods=["POST"])])


def fastapi_app() -> Callable[..., Any]:
    """Give a FastAPI application."""
    import fastapi  # noqa: PLC0415 - one framework per test

    app = fastapi.FastAPI()

    # A plain function: FastAPI runs it in a thread.
    @app.post("/echo")
    def echo(body: bytes = fastapi.Body()) -> fastapi.Response:  # noqa: FAST002 - as users write
        logging.getLogger("app").info("inside")
        return fastapi.Response(body)

    return app


def flask_app() -> Callable[..., Any]:
    """Give a Flask application."""
    import flask  # noqa: PLC0415 - one framework per test

    app = flask.Flask("guestbook")

    @app.post("/echo")
    def echo() -> bytes:
        logging.getLogger("app").info("inside")
        return flask.request.get_data()

    return app


def django_app(interface: str) -> Callable[..., Any]:
    """Give the Django application of that interface."""
    import django  # type: ignore[import-untyped] # noqa: PLC0415 - one framework per test
    from django.conf import settings  # type: ignore[import-untyped] # noqa: PLC0415 - same
    from django.core.asgi import get_asgi_application  # type: ignore[import-untyped] # noqa: PLC0415 - same
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped] # noqa: PLC0415 - same
    from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped] # noqa: PLC0415 - same
    from django.urls import path  # type: ignore[import-untyped] # noqa: PLC0415 - same

    def echo(request: HttpRequest) -> HttpResponse:
        logging.getLogger("app").info("inside")
        return HttpResponse(request.body)

    if not settings.configured:
        urls = type(sys)("guestbook_urls")
        urls.__dict__["urlpatterns"] = [path("echo", echo)]
        sys.modules["guestbook_urls"] = urls
        settings.configure(
            ROOT_URLCONF="guestbook_urls", ALLOWED_HOSTS=["*"], SECRET_KEY="x", LOGGING_CONFIG=None
        )
        django.setup()
    app: Callable[..., Any] = (
        get_asgi_application() if interface == "asgi" else get_wsgi_application()
    )
    return app


FRAMEWORKS = [
    pytest.param(starlette_app, id="starlette"),
    pytest.param(fastapi_app, id="fastapi"),
    pytest.param(flask_app, id="flask"),
    pytest.param(lambda: django_app("asgi"), id="django-asgi"),
    pytest.param(lambda: django_app("wsgi"), id="django-wsgi"),
]
