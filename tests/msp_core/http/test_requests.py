"""HTTPServer: what surrounds each request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
import websockets
from uvicorn.protocols.websockets import auto as websocket_support

from msp_core.asgi import Receive, Scope, Send
from msp_core.contract import Opened
from msp_core.deadline import Deadline
from msp_core.platforms import Platform
from tests.msp_core.http_service import (
    PATIENT,
    access_lines,
    answer,
    asgi_app,
    client,
    contract,
    get,
    serving,
)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Give what the access log has written so far."""
    return access_lines(caplog)


class TestMiddleware:
    """What plugins put around the application."""

    async def test_first_is_outermost_and_probes_pass_by(self) -> None:
        """Requests go through in the contract's order; probes through none."""
        order: list[str] = []

        def noting(name: str) -> Any:
            def wrap(app: Any) -> Any:
                async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
                    if scope["type"] == "http":
                        order.append(name)
                    await app(scope, receive, send)

                return wrapped

            return wrap

        given = contract(opened=Opened(middleware=[noting("first"), noting("second")]))
        async with serving(asgi_app, given) as server:
            await get(server, "/-/live")
            await get(server, "/")

        assert order == ["first", "second"]


class TestAccessLog:
    """One line per request."""

    async def test_says_what_happened(self, lines: Callable[[], list[logging.LogRecord]]) -> None:
        """Method, path without query, status, duration, request id and client are fields."""
        async with serving(asgi_app) as server:
            response = await get(server, "/a%0Ab?token=secret")

        (line,) = lines()
        fields = line.__dict__
        assert line.getMessage() == "GET /a%0Ab 200"
        assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/a%0Ab", 200)
        assert fields["duration"] >= 0
        assert fields["request_id"] == response.headers["x-request-id"]
        assert fields["client"] == "127.0.0.1"

    async def test_is_silent_about_probes(
        self, lines: Callable[[], list[logging.LogRecord]]
    ) -> None:
        """Probes come every second; nobody reads them."""
        async with serving(asgi_app) as server:
            for path in ("live", "ready", "version", "healthz", "health"):
                await get(server, f"/-/{path}")

        assert lines() == []

    async def test_an_applications_own_request_id_is_kept(self) -> None:
        """The header is not sent twice."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            headers = [(b"x-request-id", b"own"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body"})

        async with serving(app) as server:
            response = await get(server)

        assert response.headers.get_list("x-request-id") == ["own"]

    async def test_an_applications_messages_are_its_own(self) -> None:
        """One that sends the same message again does not send the id of the first request."""
        started = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(started)
            await send({"type": "http.response.body"})

        async with serving(app) as server:
            first, second = await get(server), await get(server)

        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        assert started["headers"] == [(b"x-a", b"b")]

    @pytest.mark.parametrize(
        ("platform", "address", "scheme"),
        [(Platform.CLOUD_RUN, "203.0.113.7", "https"), (Platform.LOCAL, "127.0.0.1", "http")],
    )
    async def test_trusts_the_platforms_proxy_only(
        self,
        lines: Callable[[], list[logging.LogRecord]],
        platform: Platform,
        address: str,
        scheme: str,
    ) -> None:
        """Forwarded headers count where nobody but the platform can reach the port."""
        schemes = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            schemes.append(scope.get("scheme"))
            await answer(send)

        headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        async with serving(app, contract(platform=platform)) as server:
            await get(server, headers=headers)

        assert lines()[0].__dict__["client"] == address
        assert schemes[-1] == scheme


async def answered_first(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer as frameworks do before they raise an error on."""
    await answer(send, b"failed", 500)


async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Answer nothing."""


class TestFailure:
    """Applications that raise."""

    @pytest.mark.parametrize(("failing", "connections"), [(answered_first, 1), (silent, 20)])
    async def test_costs_no_other_request(
        self, failing: Callable[..., Any], connections: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A connection that the client was told to keep is kept; each error is logged once."""
        clients = set()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                clients.add(scope["client"])
                await failing(scope, receive, send)
            raise OSError("disk on fire")

        async with serving(app) as server, client(server) as http:
            answers = [await http.get("/") for _ in range(20)]

        assert {each.status_code for each in answers} == {500}
        assert len(clients) == connections
        assert len([record for record in caplog.records if record.exc_info]) == 20


class TestWebSockets:
    """Connections that are upgraded."""

    async def test_pass_through(self, lines: Callable[[], list[logging.LogRecord]]) -> None:
        """With a library for them installed, websockets reach the application."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            if scope["path"] == "/refuse":
                await send({"type": "websocket.close"})
                return
            await send({"type": "websocket.accept"})
            message = await receive()
            await send({"type": "websocket.send", "text": message["text"]})
            await send({"type": "websocket.close"})

        async with serving(app) as server:
            url = f"ws://127.0.0.1:{server.port}"
            async with websockets.connect(url) as connection:
                await connection.send("hello")
                echo = await connection.recv()
                headers = connection.response.headers if connection.response else {}
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(f"{url}/refuse")

        assert echo == "hello"
        assert headers["x-request-id"]
        assert [line.getMessage() for line in lines()] == ["GET / 101", "GET /refuse 403"]

    async def test_are_refused_clearly_without_support(
        self,
        monkeypatch: pytest.MonkeyPatch,
        lines: Callable[[], list[logging.LogRecord]],
    ) -> None:
        """Without such a library the handshake gets 501 instead of the application's 404."""
        monkeypatch.setattr(websocket_support, "AutoWebSocketsProtocol", None)
        async with serving(asgi_app) as server:
            with pytest.raises(websockets.InvalidStatus) as raised:
                await websockets.connect(f"ws://127.0.0.1:{server.port}")

        assert raised.value.response.status_code == 501
        assert raised.value.response.body == b"this server has no websocket support"
        assert [line.__dict__["status"] for line in lines()] == [501]

    async def test_are_told_to_go_at_the_stop(self) -> None:
        """An open websocket does not hold up the stop; its client is told to come back."""
        opened = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            opened.set()
            while (await receive())["type"] != "websocket.disconnect":
                pass

        async with serving(app) as server:
            connection = await websockets.connect(f"ws://127.0.0.1:{server.port}")
            await opened.wait()
            await server.stop(Deadline.after(PATIENT))
            await connection.wait_closed()

        assert connection.close_code == 1012
