"""Errors of requests, through the HTTP server and the frameworks that services are written in."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import sentry_sdk
import websockets
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from msp_core.asgi import Receive, Scope, Send
from msp_core.deadline import Deadline
from msp_core.http import HTTPServer
from msp_sentry._receiver.server import Receiver
from tests.msp_core.http_service import answer
from tests.msp_sentry.conftest import Open

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"

logger = logging.getLogger("guestbook")


def fastapi_app() -> Any:
    """Return an application of FastAPI."""
    import fastapi  # noqa: PLC0415 - one framework per test

    app = fastapi.FastAPI()

    @app.get("/page/{number}")
    async def page(number: int) -> dict[str, int]:
        return {"answer": number // 0}

    @app.get("/logged/{number}")
    def logged(number: int) -> dict[str, int]:
        _log_and_raise(number)
        return {}

    @app.get("/fine")
    async def fine() -> dict[str, bool]:
        return {"fine": True}

    return app


def starlette_app() -> Any:
    """Return an application of Starlette."""
    from starlette.applications import Starlette  # noqa: PLC0415 - one framework per test
    from starlette.responses import JSONResponse  # noqa: PLC0415 - same
    from starlette.routing import Route  # noqa: PLC0415 - same

    async def page(request: Any) -> JSONResponse:
        return JSONResponse(int(request.path_params["number"]) // 0)

    async def logged(request: Any) -> JSONResponse:
        _log_and_raise(int(request.path_params["number"]))
        return JSONResponse({})

    async def fine(request: Any) -> JSONResponse:
        return JSONResponse({"fine": True})

    routes = {"/page/{number}": page, "/logged/{number}": logged, "/fine": fine}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])


def flask_app() -> Any:
    """Return an application of Flask."""
    import flask  # noqa: PLC0415 - one framework per test

    app = flask.Flask("guestbook")

    @app.get("/page/<int:number>")
    def page(number: int) -> dict[str, int]:
        return {"answer": number // 0}

    @app.get("/logged/<int:number>")
    def logged(number: int) -> dict[str, int]:
        _log_and_raise(number)
        return {}

    @app.get("/fine")
    def fine() -> dict[str, bool]:
        return {"fine": True}

    return app


def _log_and_raise(number: int) -> None:
    try:
        number // 0
    except ZeroDivisionError:
        logger.exception("impossible", extra={"number": number})
        raise


async def plain_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail in every kind of connection."""
    if scope["type"] != "lifespan":
        raise RuntimeError(scope["type"])


Events = Callable[[], list[dict[str, Any]]]

FRAMEWORKS = pytest.mark.parametrize("make", [fastapi_app, starlette_app, flask_app])


@asynccontextmanager
async def serving(app: Any, opened: Open, **variables: str) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application with Sentry open; all events have arrived afterwards."""
    async with opened(**variables) as contract:
        server = HTTPServer(app, contract)
        running = asyncio.create_task(server.start())
        await server.wait_started()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            yield client
        await server.stop(Deadline.after(30))
        await running


@FRAMEWORKS
async def test_unhandled(make: Callable[[], Any], opened: Open, events: Events) -> None:
    """An error that no framework handles is one event of the request, and its trace."""
    async with serving(make(), opened) as client:
        headers = {"traceparent": TRACEPARENT, "x-request-id": "r1", "authorization": "tell no one"}
        answer = await client.get("/page/7?card=4711", headers=headers)
        host = answer.request.headers["host"]

    (event,) = events()
    assert answer.status_code == 500
    assert event["exception"]["values"][0]["type"] == "ZeroDivisionError"
    assert event["request"] == {"url": f"http://{host}/page/7", "method": "GET"}
    assert event["contexts"]["trace"] == {"trace_id": TRACE, "span_id": TRACEPARENT[36:52]}
    assert event["contexts"]["log"]["request_id"] == "r1"
    assert "4711" not in str(event)
    assert "tell no one" not in str(event)


@FRAMEWORKS
async def test_logged_and_unhandled(make: Callable[[], Any], opened: Open, events: Events) -> None:
    """An error that the service logs and lets go is the event of the service's own line."""
    async with serving(make(), opened) as client:
        await client.get("/logged/7")

    (event,) = events()
    assert event["logger"] == "guestbook"
    assert event["contexts"]["log"]["number"] == 7
    assert event["request"]["method"] == "GET"


@FRAMEWORKS
async def test_fine(make: Callable[[], Any], opened: Open, receiver: Receiver) -> None:
    """A request that succeeds reports nothing, and is no transaction unless asked for."""
    async with serving(make(), opened) as client:
        await client.get("/fine")

    assert receiver.kept.counts() == {}


async def test_route(opened: Open, events: Events) -> None:
    """Events are grouped by route where the framework tells which one it was."""
    async with serving(fastapi_app(), opened) as client:
        await client.get("/page/7")

    (event,) = events()
    assert event["transaction"] == "/page/{number}"


async def test_cause_stays(opened: Open, events: Events, caplog: pytest.LogCaptureFixture) -> None:
    """The cause of an error is in the event, and still in the server's log line."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise RuntimeError("outer") from OSError("inner")

    async with serving(app, opened) as client:
        await client.get("/")

    (event,) = events()
    assert [each["value"] for each in event["exception"]["values"]] == ["inner", "outer"]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1].__cause__, OSError)  # type: ignore[union-attr]


async def test_websocket(opened: Open, events: Events) -> None:
    """A connection of another protocol is reported as well; the lifespan is left alone."""
    async with serving(plain_app, opened) as client:
        url = str(client.base_url).replace("http", "ws")
        with pytest.raises(websockets.exceptions.WebSocketException):
            async with websockets.connect(url):
                raise AssertionError

    (event,) = events()
    assert event["exception"]["values"][0]["value"] == "websocket"
    assert "method" not in event["request"]


async def test_requests_are_apart(opened: Open, events: Events) -> None:
    """What one request tells Sentry about itself is not said of another."""
    import fastapi  # noqa: PLC0415 - the framework of this test

    app = fastapi.FastAPI()

    @app.get("/{name}")
    async def page(name: str) -> None:
        sentry_sdk.set_tag(name, "here")
        raise LookupError(name)

    async with serving(app, opened) as client:
        await asyncio.gather(client.get("/a"), client.get("/b"))

    tags = [{"a", "b"} & event["tags"].keys() for event in events()]
    assert sorted(tags, key=sorted) == [{"a"}, {"b"}]


@pytest.mark.parametrize("environ", [{}, {"SENTRY_TRACE": f"{TRACE}-b7ad6b7169203331-1"}])
async def test_requests_fork_scopes_and_are_traces_of_their_own(
    environ: dict[str, str], opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scope of the SDK is dear; only a new one continues the trace of the environment."""
    made: list[sentry_sdk.Scope] = []
    traces: list[str | None] = []
    initialize = sentry_sdk.Scope.__init__

    def noted(scope: sentry_sdk.Scope, *arguments: Any, **options: Any) -> None:
        made.append(scope)
        initialize(scope, *arguments, **options)

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            traces.append(sentry_sdk.get_traceparent())
            await answer(send)

    async def ask() -> None:
        async with serving(app, opened) as client:
            await client.get("/")
            del made[:], traces[:]
            for _ in range(3):
                await client.get("/")

    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sentry_sdk.Scope, "__init__", noted)
    # Other tests may have left scopes in the context of this one.
    await asyncio.create_task(ask(), context=contextvars.Context())

    ids = {trace and trace.partition("-")[0] for trace in traces}
    assert bool(made) is bool(environ)
    assert (len(ids), ids == {TRACE}) == ((1, True) if environ else (3, False))


@FRAMEWORKS
async def test_transactions(make: Callable[[], Any], opened: Open, receiver: Receiver) -> None:
    """Requests are transactions when asked for; they belong to the trace of the log lines."""
    async with serving(make(), opened, SENTRY_TRACES_SAMPLE_RATE="1") as client:
        headers = {"traceparent": TRACEPARENT}
        await client.get("/fine", headers=headers)
        await client.get("/page/7", headers=headers)

    fine, failed = receiver.kept.payloads("transaction")
    (event,) = receiver.kept.payloads("event")
    assert (fine["contexts"]["trace"]["trace_id"], fine["transaction"][-5:]) == (TRACE, "/fine")
    assert fine["contexts"]["trace"]["data"]["http.response.status_code"] == 200
    assert failed["contexts"]["trace"]["data"]["http.response.status_code"] == 500
    # The event hangs below the transaction's own span.
    assert event["contexts"]["trace"]["trace_id"] == TRACE
    assert event["contexts"]["trace"]["span_id"] == failed["contexts"]["trace"]["span_id"]


async def test_transactions_are_scrubbed(opened: Open, receiver: Receiver) -> None:
    """No secret leaves by a transaction either."""
    variables = {"SENTRY_TRACES_SAMPLE_RATE": "1", "DIAGNOSTICS_SECRET": "correct-horse"}
    async with serving(plain_app, opened, **variables) as client:
        await client.get("/correct-horse")

    (transaction,) = receiver.kept.payloads("transaction")
    assert "correct-horse" not in str(transaction)
    assert transaction["transaction"] == "/***"


async def test_opentelemetry_traces(
    opened: Open, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentry traces nothing while OpenTelemetry does; its SDK alone does not."""
    async with serving(starlette_app(), opened, SENTRY_TRACES_SAMPLE_RATE="1") as client:
        provider = TracerProvider(shutdown_on_exit=False)
        await client.get("/page/7")
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
        await client.get("/fine")

    (before,) = receiver.kept.payloads("transaction")
    assert "/page/" in before["transaction"]


async def test_without_a_request_of_the_runtime(opened: Open, receiver: Receiver) -> None:
    """Under a server that is not the runtime's, requests are served, traced and reported, too."""
    async with opened(SENTRY_TRACES_SAMPLE_RATE="1") as contract:
        app = contract.middleware[0](starlette_app())
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://elsewhere") as client:
            fine = await client.get("/fine")
            failed = await client.get("/page/7")

    assert (fine.status_code, failed.status_code) == (200, 500)
    (event,) = receiver.kept.payloads("event")
    assert event["request"]["url"] == "http://elsewhere/page/7"
    assert len(receiver.kept.payloads("transaction")) == 2


@pytest.mark.parametrize(("sampled", "count"), [("0", 0), ("1", 1)])
async def test_caller_decides(opened: Open, receiver: Receiver, sampled: str, count: int) -> None:
    """A trace that the caller samples, or does not, is continued that way."""
    async with serving(starlette_app(), opened, SENTRY_TRACES_SAMPLE_RATE="1") as client:
        header = f"{TRACE}-b7ad6b7169203331-{sampled}"
        await client.get("/fine", headers={"sentry-trace": header})

    assert len(receiver.kept.payloads("transaction")) == count
