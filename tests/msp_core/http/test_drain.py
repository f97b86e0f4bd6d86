"""HTTPServer: no request that was accepted fails when the server stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import uvloop
from uvicorn.protocols.http import auto as parser_module
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from msp_core.asgi import Receive, Scope, Send
from msp_core.deadline import Deadline
from msp_core.errors import StopTimeoutError
from msp_core.http import HTTPServer
from msp_core.http import _body as body_module
from msp_core.http import _listener as listener_module
from tests.msp_core.clock import clock_for_all
from tests.msp_core.http_load import Load
from tests.msp_core.http_service import (
    PATIENT,
    answer,
    asgi_app,
    client,
    contract,
    get,
    serving,
    wsgi_app,
)

# Seconds; a deadline that is meant to pass.
SHORT = 0.4

# Seconds; more than the server's own step, so that it has looked.
TICK = 0.03125

# Bytes; more than fit between a server and a client that does not read.
LARGE = 50_000_000

REQUEST = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n"


class Gate:
    """An ASGI application whose requests to `/slow` wait until the test lets them go."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        if scope["path"] == "/slow":
            self.arrived.set()
            await self.wait_inside()
        await answer(send)

    async def wait_inside(self) -> None:
        await self.release.wait()


async def stop_under_load(app: Callable[..., Any]) -> Load:
    """Serve, stop while clients ask as fast as they can, return what they saw."""
    async with serving(app) as server:
        load = Load(server.port or 0)
        load.start()
        await asyncio.to_thread(load.enough.wait, PATIENT)
        await server.stop(Deadline.after(PATIENT))
        await asyncio.to_thread(load.join)
    return load


async def post(server: HTTPServer, body: bytes) -> httpx.Response:
    """Send a body on a connection of its own."""
    async with client(server) as http_client:
        return await http_client.post("/", content=body)


def receive_all(connection: socket.socket) -> int:
    """Read what comes until the connection is cut, or all is there; return how much."""
    got = 0
    with contextlib.suppress(ConnectionResetError):
        while got < LARGE and (part := connection.recv(1_000_000)):
            got += len(part)
    return got


class TestLoad:
    """The promise, under continuous load."""

    @pytest.mark.parametrize(
        ("loop", "parser"),
        [(asyncio.new_event_loop, H11Protocol), (uvloop.new_event_loop, HttpToolsProtocol)],
        ids=["in Python", "in C"],
    )
    @pytest.mark.parametrize("app", [asgi_app, wsgi_app])
    def test_no_accepted_request_fails(
        self,
        monkeypatch: pytest.MonkeyPatch,
        app: Callable[..., Any],
        loop: Callable[[], asyncio.AbstractEventLoop],
        parser: type[asyncio.Protocol],
    ) -> None:
        """Connections used again and again, and connections used once: each gets its answer."""
        monkeypatch.setattr(parser_module, "AutoHTTPProtocol", parser)
        with asyncio.Runner(loop_factory=loop) as runner:
            load = runner.run(stop_under_load(app))

        assert load.failed == []
        assert load.enough.is_set()

    @pytest.mark.parametrize("filtered", [True, False])
    async def test_the_backlog_is_answered(
        self, monkeypatch: pytest.MonkeyPatch, *, filtered: bool
    ) -> None:
        """What the kernel accepted and the loop has not seen yet belongs to us, too."""
        # Not every kernel lets everybody keep new connections out; both ways lose nothing.
        monkeypatch.setattr(listener_module, "drop_new_connections", lambda _socket: filtered)
        async with serving(asgi_app) as server:
            # Blocking calls: the loop has no chance to accept before it is told to stop.
            waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
            for connection in waiting:
                connection.sendall(REQUEST)
            await server.stop(Deadline.after(PATIENT))

        answers = [connection.recv(1000) for connection in waiting]
        for connection in waiting:
            connection.close()

        assert {text.split(b"\r\n")[0] for text in answers} == {b"HTTP/1.1 200 OK"}


class TestConnections:
    """What becomes of connections that are kept."""

    async def test_are_told_to_close_while_draining(self) -> None:
        """Before the listener closes, clients and probes learn to go elsewhere."""
        given = contract()
        async with serving(asgi_app, given) as server, client(server) as http_client:
            before = await http_client.get("/")
            given.diagnostics.health.draining = True
            after = await http_client.get("/")
            probe = await http_client.get("/-/ready")

        assert "connection" not in before.headers
        assert after.headers["connection"] == "close"
        assert (probe.text, probe.headers["connection"]) == ("draining", "close")

    async def test_an_applications_own_header_is_replaced(self) -> None:
        """Two contradicting headers would leave it to the client."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            headers = [(b"connection", b"keep-alive"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body"})

        given = contract()
        given.diagnostics.health.draining = True
        async with serving(app, given) as server:
            response = await get(server)

        assert response.headers.get_list("connection") == ["close"]

    async def test_an_unread_body_does_not_reset_them(self) -> None:
        """An upload that the application did not care to read still gets its answer."""
        given = contract()
        given.diagnostics.health.draining = True
        async with serving(asgi_app, given) as server:
            response = await post(server, b"x" * 5_000_000)

        assert (response.status_code, response.headers["connection"]) == (200, "close")

    async def test_a_body_that_does_not_come_is_not_waited_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A client that sends half a body gets its answer, too."""
        monkeypatch.setattr(body_module, "_PATIENCE", 0.01)
        given = contract()
        given.diagnostics.health.draining = True
        async with serving(asgi_app, given) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 9\r\n\r\nx")
            text = await reader.read()
            writer.close()

        assert text.endswith(b"app")

    async def test_an_idle_one_gets_a_last_answer(self) -> None:
        """A request that was on its way when the stop began is answered, then it is over."""
        async with serving(asgi_app) as server, client(server) as http_client:
            await http_client.get("/")
            stopping = asyncio.create_task(server.stop(Deadline.after(PATIENT)))
            await asyncio.sleep(0)
            last = await http_client.get("/")
            await stopping

        assert (last.status_code, last.headers["connection"]) == (200, "close")

    async def test_a_silent_one_is_closed(self) -> None:
        """Nobody waits for a client that asks nothing."""
        async with serving(asgi_app) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(REQUEST)
            first = await reader.readuntil(b"app")
            await server.stop(Deadline.after(2.0))
            rest = await reader.read()
            writer.close()

        assert first.startswith(b"HTTP/1.1 200")
        assert rest == b""

    @pytest.mark.parametrize(
        ("budget", "linger"),
        [(PATIENT, 1.0), (2.0, 0.375)],
        ids=["a second", "a quarter of the time when that is short"],
    )
    async def test_a_silent_one_is_kept_for_a_while(
        self, monkeypatch: pytest.MonkeyPatch, budget: float, linger: float
    ) -> None:
        """A request that is on its way finds the connection open, and nobody waits for long."""
        # Or the stop would first wait for handshakes, which have nothing to do with this.
        monkeypatch.setattr(listener_module, "drop_new_connections", lambda _socket: False)
        server = HTTPServer(asgi_app, contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with clock_for_all() as clock:
            writer.write(REQUEST)
            await reader.readuntil(b"app")
            stopping = asyncio.create_task(server.stop(Deadline.after(budget)))
            await clock.advance(0)
            await clock.advance(linger - TICK)
            early = reader.at_eof()
            await clock.advance(2 * TICK)
            closed = reader.at_eof()
            clock.go()
            writer.close()
            await stopping
            await running

        assert (early, closed) == (False, True)

    async def test_new_ones_are_refused_after_the_stop(self) -> None:
        """The port is free again."""
        async with serving(asgi_app) as server:
            port = server.port
            await server.stop(Deadline.after(PATIENT))

        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    async def test_one_whose_client_does_not_read_is_cut(self) -> None:
        """An answer nobody takes does not hold up the stop beyond its deadline."""
        sent = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await answer(send, b"x" * LARGE)
            sent.set()

        server = HTTPServer(app, contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(REQUEST)
            await sent.wait()
            with pytest.raises(StopTimeoutError, match="a connection that does not close"):
                await server.stop(Deadline.after(SHORT))
            await running
            got = await asyncio.to_thread(receive_all, connection)

        assert got < LARGE


class TestInFlight:
    """Requests that take their time."""

    async def test_are_finished(self) -> None:
        """The stop waits for them, and they get their answer."""
        app = Gate()
        async with serving(app) as server:
            slow = asyncio.create_task(get(server, "/slow"))
            await app.arrived.wait()
            stopping = asyncio.create_task(server.stop(Deadline.after(PATIENT)))
            await asyncio.sleep(0)
            app.release.set()
            response = await slow
            await stopping

        assert (response.status_code, response.headers["connection"]) == (200, "close")

    async def test_a_hung_one_is_named_with_its_stack(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """At the deadline the error names it, the log says where it hangs, the client gets 500."""
        app = Gate()
        server = HTTPServer(app, contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        slow = asyncio.create_task(get(server, "/slow?token=secret"))
        await app.arrived.wait()

        with pytest.raises(StopTimeoutError, match=r"still serving GET /slow \(\d") as raised:
            await server.stop(Deadline.after(SHORT))
        await running
        response = await slow
        (record,) = [record for record in caplog.records if record.name == "msp.http"]

        assert raised.value.exit_code == 70
        assert response.status_code == 500
        assert "request still being served" in record.getMessage()
        assert "wait_inside" in record.__dict__["stack"]
        assert "secret" not in record.getMessage()

    async def test_so_is_one_in_a_thread(self, caplog: pytest.LogCaptureFixture) -> None:
        """Of a WSGI request the stack is that of its thread."""
        arrived, release = threading.Event(), threading.Event()
        threads = []

        def hang_here(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            threads.append(threading.current_thread())
            arrived.set()
            release.wait(PATIENT)
            return wsgi_app(environ, start_response)

        server = HTTPServer(hang_here, contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        slow = asyncio.create_task(get(server, "/slow"))
        await asyncio.to_thread(arrived.wait, PATIENT)

        with pytest.raises(StopTimeoutError, match="GET /slow"):
            await server.stop(Deadline.after(SHORT))
        await running
        await slow
        release.set()
        await asyncio.to_thread(threads[0].join, PATIENT)
        (record,) = [record for record in caplog.records if record.name == "msp.http"]

        assert "hang_here" in record.__dict__["stack"]
        assert record.levelno == logging.ERROR
