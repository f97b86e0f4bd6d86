"""HTTPServer: applications of every framework, unchanged, on a real socket."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from msp_core.asgi import Receive, Scope, Send
from msp_core.errors import UsageError
from msp_core.http import HTTPServer
from msp_core.request import current_request
from tests.msp_core.http_frameworks import FRAMEWORKS
from tests.msp_core.http_service import (
    access_lines,
    asgi_app,
    client,
    contract,
    get,
    serving,
    wsgi_app,
)


class RequestIdOf(logging.Handler):
    """Notes the request id that lines of one logger are written under."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str | None] = []

    def emit(self, record: logging.LogRecord) -> None:
        request = current_request.get()
        self.ids.append(request.request_id if request else None)


@pytest.fixture
def ids() -> Iterator[list[str | None]]:
    """Give the request ids seen by what the application logs."""
    handler = RequestIdOf()
    logger = logging.getLogger("app")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler.ids
    logger.removeHandler(handler)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Give what the access log has written so far."""
    return access_lines(caplog)


class TestFrameworks:
    """Applications as they are."""

    @pytest.mark.parametrize("make", FRAMEWORKS)
    async def test_are_served_unchanged(
        self,
        make: Callable[[], Callable[..., Any]],
        ids: list[str | None],
        lines: Callable[[], list[logging.LogRecord]],
    ) -> None:
        """Body, status, probes and request id work; the id reaches threads, too."""
        body = b"x" * 100_000
        async with serving(make()) as server, client(server) as http:
            response = await http.post("/echo", content=body, headers={"X-Request-ID": "abc"})
            missing = await http.get("/missing")
            probe = await http.get("/-/ready")

        assert (response.status_code, response.content) == (200, body)
        assert response.headers["x-request-id"] == "abc"
        assert (missing.status_code, probe.text) == (404, "ready")
        assert ids == ["abc"]
        assert [record.getMessage() for record in lines()] == ["POST /echo 200", "GET /missing 404"]

    @pytest.mark.parametrize("app", [asgi_app, wsgi_app])
    async def test_so_are_plain_callables(self, app: Callable[..., Any]) -> None:
        """An application that is one function needs no hint."""
        async with serving(app) as server:
            response = await get(server)

        assert response.text == "app"

    async def test_a_callable_object_is_told_by_its_arguments(self) -> None:
        """A plain `__call__` that returns an awaitable is an ASGI application all the same."""

        class Wrapped:
            def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
                return asgi_app(scope, receive, send)

        async with serving(Wrapped()) as server:
            response = await get(server)

        assert response.text == "app"

    async def test_an_unclear_one_needs_a_word(self) -> None:
        """What could be either is not guessed at."""

        def app(*args: Any) -> Any:
            return asgi_app(*args)

        with pytest.raises(UsageError, match="not plainly an ASGI or a WSGI application"):
            HTTPServer(app, contract())
        async with serving(app, interface="asgi") as server:
            response = await get(server)

        assert response.text == "app"

    async def test_a_wsgi_application_writes_errors_to_stderr(self) -> None:
        """Standard output is for output."""
        seen = []

        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            seen.append(environ["wsgi.errors"])
            return wsgi_app(environ, start_response)

        async with serving(app) as server:
            await get(server)

        assert seen == [sys.stderr]

    async def test_a_failing_application_answers_500(
        self, lines: Callable[[], list[logging.LogRecord]], caplog: pytest.LogCaptureFixture
    ) -> None:
        """An exception is logged by the server with its traceback, and the access line is there."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise ValueError(scope["type"])

        async with serving(app) as server:
            response = await get(server)

        assert response.status_code == 500
        assert [record.__dict__["status"] for record in lines()] == [500]
        assert [record.name for record in caplog.records if record.exc_info] == ["uvicorn.error"]
