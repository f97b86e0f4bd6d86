"""As few spans as a person reads: one of the request, and one of each query and command."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from opentelemetry.trace import NoOpTracer
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from msp_cloudsql import CloudSQL
from msp_cloudsql._telemetry import waiting
from msp_core import ServiceContract, open_contract
from msp_core.asgi import Message, Receive, Scope, Send
from msp_opentelemetry._receiver.server import Receiver
from msp_opentelemetry._spans.http import HTTPTelemetry
from msp_redis import Redis
from tests.msp_core.http_service import answer, client, serving
from tests.msp_opentelemetry.conftest import Guestbook, spans, url

REQUESTS = 3


@pytest.fixture
def environ(
    receiver: Receiver, postgresql_environ: Mapping[str, str], redis_environ: Mapping[str, str]
) -> dict[str, str]:
    """Give what a service with two resources and telemetry is configured with."""
    own = {"PORT": "0", "OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver)}
    return {**postgresql_environ, **redis_environ, **own}


async def ask(environ: Mapping[str, str]) -> list[httpx.Response]:
    """Ask a service a few times for a query and a command."""
    plugins = ("cloudsql", "redis", "opentelemetry")
    async with open_contract(environ, Guestbook(), plugins=plugins) as contract:
        assert isinstance(contract, ServiceContract)
        pool, redis = contract[CloudSQL].pool("primary"), contract[Redis].client()
        async with pool.connection():  # connecting and its wait are no part of a request
            pass

        async def count(_: Any) -> PlainTextResponse:
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
            return PlainTextResponse(str(await redis.incr("visits")))

        app = Starlette(routes=[Route("/visits", count)])
        async with serving(app, contract) as server, client(server) as http:
            return [await http.get("/visits") for _ in range(REQUESTS)]


async def test_one_for_the_request_each_query_and_each_command(
    environ: dict[str, str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the pool, which had a connection, and nothing of what runs in between."""
    monkeypatch.setattr(waiting, "_SPAN", math.inf)  # a slow machine is no wait for a connection
    answers = await ask(environ)
    found = spans(receiver)
    requests = [span for span in found if span["name"] == "GET /visits"]

    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    assert len(requests) == REQUESTS
    for request in requests:
        trace = [span for span in found if span["trace_id"] == request["trace_id"]]
        names = [span["name"] for span in trace]
        assert sorted(names) == ["GET /visits", "INCRBY", "SELECT primary"]


async def test_a_request_that_is_not_sampled_has_none(
    environ: dict[str, str], receiver: Receiver
) -> None:
    """What nobody keeps is not made either."""
    answers = await ask({**environ, "OTEL_TRACES_SAMPLER": "parentbased_always_off"})

    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    assert spans(receiver) == []


async def test_a_request_is_measured_once() -> None:
    """Its duration; how many are served is counted here, and told when somebody collects."""
    recorded: list[tuple[float, Mapping[str, Any]]] = []
    observed: list[Callable[..., Any]] = []

    def histogram(_name: str, **_: Any) -> Any:
        return SimpleNamespace(record=lambda *given: recorded.append(given))

    def observable(_name: str, callbacks: list[Callable[..., Any]], **_: Any) -> None:
        observed.extend(callbacks)

    meter: Any = SimpleNamespace(
        create_histogram=histogram, create_observable_up_down_counter=observable
    )

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer(send)

    async def send(_: Message) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": []}
    served = HTTPTelemetry(NoOpTracer(), meter, None).middleware(app)
    for _ in range(2):
        await served({**scope, "http_version": "1.1"}, None, send)

    (first, second), (look,) = recorded, observed
    assert first[1] is second[1]  # one attribute set for all requests of a route
    assert [observation.value for observation in look(None)] == [0]
