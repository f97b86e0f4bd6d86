"""Requests: one span and one measurement each, whatever framework answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from flask import Flask, request
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from msp_core.asgi import Receive, Scope, Send
from msp_opentelemetry import OpenTelemetry
from msp_opentelemetry._receiver.server import Receiver
from tests.msp_core.http_service import answer
from tests.msp_opentelemetry.conftest import Opened, asking, points, spans, url


async def page(_: Any) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("page")


def starlette() -> Starlette:
    """Give an application with a mounted one in it, and one that is no Starlette."""
    inner = Starlette(routes=[Route("/orders/{id}", page)])
    routes = [Route("/users/{id}", page), Mount("/shop", inner), Mount("/plain", plain)]
    return Starlette(routes=routes)


async def plain(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer to everything."""
    await answer(send)


def fastapi() -> FastAPI:
    """Give an application with an included router and a mounted application."""
    app, router, inner = FastAPI(), APIRouter(prefix="/users"), FastAPI()

    @router.get("/{user}")
    async def show(user: int) -> int:
        return user

    @inner.get("/orders/{order}")
    def order(order: int) -> int:
        return order

    @app.get("/fail")
    async def fail() -> None:
        raise LookupError("not there")

    app.include_router(router, prefix="/v1")
    app.mount("/shop", inner)
    return app


def flask() -> Flask:
    """Give a WSGI application that tells its routes."""
    app = Flask("guestbook")

    @app.before_request
    def tell() -> None:
        if request.url_rule is not None:
            trace.get_current_span().set_attribute("http.route", request.url_rule.rule)

    @app.get("/users/<int:user>")
    def show(user: int) -> str:
        with trace.get_tracer("probe").start_as_current_span("inside"):
            return str(user)

    return app


@pytest.mark.parametrize(
    ("make", "path", "name"),
    [
        (starlette, "/users/7", "GET /users/{id}"),
        (starlette, "/shop/orders/7", "GET /shop/orders/{id}"),
        (starlette, "/plain/x", "GET /plain"),
        (starlette, "/nowhere", "GET"),
        (fastapi, "/v1/users/7", "GET /v1/users/{user}"),
        (fastapi, "/shop/orders/7", "GET /shop/orders/{order}"),
        (fastapi, "/nowhere", "GET"),
        (lambda: plain, "/anything", "GET"),
    ],
)
async def test_name(
    opened: Opened, receiver: Receiver, make: Callable[[], Any], path: str, name: str
) -> None:
    """A span is named after method and route template, never after the path itself."""
    async with asking(make(), opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.get(f"{path}?token=s3cr3t")

    (span,) = spans(receiver)
    (duration,) = points(receiver, "http.server.request.duration")
    assert (span["name"], span["kind"]) == (name, "SERVER")
    assert span["attributes"]["url.path"] == path
    assert "s3cr3t" not in str(span)
    assert span["attributes"].get("http.route") == duration["attributes"].get("http.route")
    assert duration["count"] == 1


async def test_wsgi(opened: Opened, receiver: Receiver) -> None:
    """A WSGI application's spans belong to its request, in whose thread they are made."""
    async with asking(flask(), opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.get("/users/7")

    outer, inner = spans(receiver)
    assert outer["name"] == "GET /users/<int:user>"
    assert (inner["name"], inner["parent_span_id"]) == ("inside", outer["span_id"])


async def test_attributes(opened: Opened, receiver: Receiver) -> None:
    """Attributes have the names of the semantic conventions."""
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.post("/a b", headers={"host": "guest.book:99", "user-agent": "probe"})

    attributes = spans(receiver)[0]["attributes"]
    assert attributes | {"server.port": 0} == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.path": "/a%20b",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "server.address": "guest.book",
        "server.port": 0,
        "client.address": "127.0.0.1",
        "user_agent.original": "probe",
    }


async def test_failure(opened: Opened, receiver: Receiver) -> None:
    """A request that raises is an error with its exception; it still raises."""
    async with asking(fastapi(), opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        answered = await http.get("/fail")

    (span,) = spans(receiver)
    assert answered.status_code == 500
    assert (span["name"], span["status"]) == ("GET /fail", "ERROR")
    assert span["attributes"]["error.type"] == "LookupError"
    assert [event["name"] for event in span["events"]] == ["exception"]


async def test_answer_with_an_error(opened: Opened, receiver: Receiver) -> None:
    """An answer of 500 or more is an error; one of 400 is the caller's."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send, status=int(scope["path"].strip("/")))

    async with asking(
        app, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)), interface="asgi"
    ) as http:
        await http.get("/404")
        await http.get("/500")

    missing, failed = spans(receiver)
    assert missing["status"] == "UNSET"
    assert failed["status"] == "ERROR"
    assert failed["attributes"]["error.type"] == "500"


async def test_strange_method(opened: Opened, receiver: Receiver) -> None:
    """Methods that a service was not made for do not become names."""
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.request("PROPFIND", "/")

    (span,) = spans(receiver)
    assert span["name"] == "HTTP"
    assert span["attributes"]["http.request.method"] == "_OTHER"
    assert span["attributes"]["http.request.method_original"] == "PROPFIND"


async def test_bare_scope(opened: Opened, receiver: Receiver) -> None:
    """What a server may leave out of the scope is left out of the span; a cancelled one ends."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [],
    }

    async def app(*_: Any) -> None:
        raise KeyboardInterrupt

    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)) as contract:
        wrapped = contract[OpenTelemetry].asgi(app)
        with pytest.raises(KeyboardInterrupt):
            await wrapped(scope, None, None)

    (span,) = spans(receiver)
    assert span["attributes"]["error.type"] == "KeyboardInterrupt"
    assert span["attributes"]["http.response.status_code"] == 500  # what a server answers then
    assert span["events"] == []
    assert "server.address" not in span["attributes"]


async def test_probes_are_not_traced(opened: Opened, receiver: Receiver) -> None:
    """Probes come every few seconds, and say nothing about the service's users."""
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        for path in ("/-/live", "/-/ready", "/-/healthz", "/metrics"):
            await http.get(path)

    assert spans(receiver) == []


async def test_lifespan_and_websockets_pass(opened: Opened, receiver: Receiver) -> None:
    """What is no request reaches the application untouched."""
    seen = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)) as contract:
        await contract[OpenTelemetry].asgi(app)({"type": "websocket"}, None, None)

    assert seen == [{"type": "websocket"}]
    assert spans(receiver) == []


async def test_request_inside_a_span(opened: Opened, receiver: Receiver) -> None:
    """An application that is asked inside of a span gives that span back."""
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "scheme": "http"}
    scope["http_version"] = "2"
    scope["headers"] = [
        (name, value)
        for name in (b"host", b"user-agent")
        for value in (name + b".first", name + b".second")
    ]

    async def send(_: Any) -> None: ...

    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)) as contract:
        with trace.get_tracer("probe").start_as_current_span("outer") as outer:
            await contract[OpenTelemetry].asgi(plain)(scope, None, send)

            assert trace.get_current_span() is outer

    outside, inside = spans(receiver)
    assert [outside["name"], inside["name"]] == ["outer", "GET"]
    assert inside["attributes"]["server.address"] == "host.first"  # no port, and no other one
    assert inside["attributes"]["user_agent.original"] == "user-agent.first"


async def test_many_at_once(opened: Opened, receiver: Receiver) -> None:
    """Requests served at the same time do not get into each other's traces."""
    async with asking(flask(), opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        limits = [http.get(f"/users/{number}") for number in range(50)]
        answers = [await each for each in limits]

    summaries = receiver.store.traces()
    assert all(isinstance(each, httpx.Response) for each in answers)
    assert [summary["spans"] for summary in summaries] == [2] * 50
