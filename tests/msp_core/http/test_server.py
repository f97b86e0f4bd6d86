"""HTTPServer: its socket and the application's lifespan."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from msp_core.asgi import Receive, Scope, Send
from msp_core.deadline import Deadline
from msp_core.errors import MSPError, RoutineError, StopTimeoutError
from msp_core.http import HTTPServer
from msp_core.http import _server as http_module
from msp_core.routines import Routine
from tests.msp_core.clock import clock_for_all
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


class Lifespan:
    """An ASGI application that notes its lifespan and may refuse parts of it."""

    def __init__(self, *, refuse: str = "", hang: str = "") -> None:
        self.refuse = refuse
        self.hang = hang
        self.notes: list[str] = []
        self.reached = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await answer(send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            self.notes.append(phase)
            self.reached.set()
            if phase == self.hang:
                await asyncio.Event().wait()
            if phase == self.refuse:
                await send({"type": f"lifespan.{phase}.failed", "message": "no"})
                return
            await send({"type": f"lifespan.{phase}.complete"})


class TestListener:
    """The socket."""

    async def test_is_a_routine(self) -> None:
        """The runtime can hold it like any other."""
        server = HTTPServer(asgi_app, contract())

        assert isinstance(server, Routine)
        assert (server.name, server.port) == ("http", None)

    async def test_answers_on_every_interface(self) -> None:
        """IPv4 and, where the machine has it, IPv6."""
        hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
        statuses = []
        async with serving(asgi_app) as server:
            for host in hosts:
                async with client(server, host) as http:
                    statuses.append((await http.get("/")).status_code)

        assert statuses == [200] * len(hosts)

    async def test_outlives_the_connections_of_load_balancers(self) -> None:
        """They keep an idle one for up to 600 s; this side closes it after 620, not before."""
        server = HTTPServer(asgi_app, contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with clock_for_all() as clock:
            try:
                for idle in (0, 619.5):
                    await clock.advance(idle)
                    writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                    await reader.readuntil(b"app")
                await clock.advance(620)
                closed = reader.at_eof()
            finally:
                clock.go()
                writer.close()
                await server.stop(Deadline.after(PATIENT))
                await running

        assert closed

    async def test_is_read_by_the_parser_in_c(self) -> None:
        """The extra `http` installs it, and the server takes it without being told."""
        async with serving(asgi_app) as server:
            assert server._server is not None
            assert isinstance(server._server.protocol(), HttpToolsProtocol)

    async def test_without_ipv6(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine without IPv6 is served over IPv4."""
        monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
        async with serving(asgi_app) as server:
            response = await get(server)

        assert response.status_code == 200

    async def test_a_port_in_use_is_named(self) -> None:
        """The error says which port, and what to do; waiting ends, too."""
        with socket.create_server(("", 0)) as other:
            port = other.getsockname()[1]
            server = HTTPServer(asgi_app, contract(port=port))
            waiting = asyncio.create_task(server.wait_started())
            with pytest.raises(RoutineError, match="is in use by process") as raised:
                await server.start()

        with pytest.raises(RoutineError, match="in use"):
            await waiting
        assert str(raised.value).startswith(f"port {port} ")
        assert raised.value.routine == "http"
        await server.stop(Deadline.after(PATIENT))

    async def test_a_port_taken_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Losing the port between bind and listen is the same error, after a lifespan shutdown."""
        app = Lifespan()

        class Taken(socket.socket):
            def listen(self, backlog: int = 0, /) -> None:
                raise OSError(98, "taken")

        monkeypatch.setattr(socket, "socket", Taken)
        with pytest.raises(RoutineError, match="PORT"):
            await HTTPServer(app, contract()).start()

        assert app.notes == ["startup", "shutdown"]

    async def test_a_port_that_is_not_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Any other refusal of the kernel is told in its words."""

        class Forbidden(socket.socket):
            def bind(self, address: Any, /) -> None:
                raise PermissionError(13, "no")

        monkeypatch.setattr(socket, "socket", Forbidden)
        with pytest.raises(RoutineError, match=r"cannot be listened on \(Permission denied\)"):
            await HTTPServer(asgi_app, contract()).start()

    async def test_a_missing_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without uvicorn the error is the command that installs it."""
        monkeypatch.delitem(sys.modules, "msp_core.http._uvicorn", raising=False)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        with pytest.raises(MSPError, match=r"pip install 'msp-core\[http\]'"):
            await HTTPServer(asgi_app, contract()).start()

    async def test_so_is_the_one_for_wsgi(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a2wsgi a WSGI application cannot be served."""
        monkeypatch.delitem(sys.modules, "msp_core.http._wsgi", raising=False)
        monkeypatch.setitem(sys.modules, "a2wsgi", None)
        with pytest.raises(MSPError, match=r"needs a2wsgi: pip install 'msp-core\[http\]'"):
            await HTTPServer(wsgi_app, contract()).start()

    async def test_another_missing_module_is_not_disguised(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A broken uvicorn is shown as what it is."""
        monkeypatch.delitem(sys.modules, "msp_core.http._uvicorn", raising=False)
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        monkeypatch.setattr(http_module, "_EXTRA", frozenset())
        with pytest.raises(ModuleNotFoundError, match="uvicorn"):
            await HTTPServer(asgi_app, contract()).start()


class TestLifespan:
    """The application's own start and end."""

    async def test_is_run_around_serving(self) -> None:
        """Startup comes before the first request, shutdown after the last."""
        app = Lifespan()
        async with serving(app) as server:
            before = list(app.notes)
            await get(server)

        assert (before, app.notes) == (["startup"], ["startup", "shutdown"])

    async def test_a_refused_startup_fails_the_start(self) -> None:
        """Whoever waits for the start gets the same error."""
        server = HTTPServer(Lifespan(refuse="startup"), contract())
        waiting = asyncio.create_task(server.wait_started())
        with pytest.raises(RoutineError, match="refused its lifespan startup"):
            await server.start()
        with pytest.raises(RoutineError, match="refused its lifespan startup"):
            await waiting

        assert server.port is None

    async def test_a_failed_shutdown_fails_the_stop(self) -> None:
        """The failure is the stop's; `start` returns."""
        server = HTTPServer(Lifespan(refuse="shutdown"), contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        with pytest.raises(RoutineError, match="failed in its lifespan shutdown"):
            await server.stop(Deadline.after(PATIENT))
        await running

    async def test_a_hung_shutdown_is_a_timeout(self) -> None:
        """The deadline holds for the application's end, too."""
        server = HTTPServer(Lifespan(hang="shutdown"), contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        with pytest.raises(StopTimeoutError, match="lifespan shutdown did not end in time"):
            await server.stop(Deadline.after(SHORT))
        await running

    async def test_a_hung_startup_can_be_stopped(self) -> None:
        """A stop while the application starts ends the start; waiting for it does not hang."""
        app = Lifespan(hang="startup")
        server = HTTPServer(app, contract())
        running = asyncio.create_task(server.start())
        waiting = asyncio.create_task(server.wait_started())
        await app.reached.wait()
        await server.stop(Deadline.after(PATIENT))
        await running

        with pytest.raises(RoutineError, match="stopped before it started"):
            await waiting

    async def test_a_stop_before_the_start(self) -> None:
        """Stopped before it began, it does not begin."""
        server = HTTPServer(asgi_app, contract())
        await server.stop(Deadline.after(PATIENT))
        await server.start()

        with pytest.raises(RoutineError, match="stopped before it started"):
            await server.wait_started()

    async def test_a_cancelled_start_closes_the_socket(self) -> None:
        """Cancellation from outside goes through and leaves nothing behind."""
        server = HTTPServer(asgi_app, contract())
        running = asyncio.create_task(server.start())
        await server.wait_started()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert server.port is None
