"""Listener: accepting when the machine does not play along."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvloop

from msp_core.http import _listener as listener_module
from msp_core.http._listener import Listener
from msp_core.http._syn_filter import drop_new_connections


class Unwilling(socket.socket):
    """A socket whose next calls fail as the test says."""

    errors: list[OSError]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            raise self.errors.pop(0)
        return super().accept()

    def bind(self, address: Any, /) -> None:
        if self.family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "IPv6 is off")
        super().bind(address)


class Greeter(asyncio.Protocol):
    """Says hello and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(b"hello")
        transport.close()


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that makes the next accepts fail with those errors."""
    monkeypatch.setattr(socket, "socket", Unwilling)
    monkeypatch.setattr(Unwilling, "errors", [], raising=False)

    def next_errors(*errors: OSError) -> None:
        Unwilling.errors.extend(errors)

    return next_errors


async def greeting(listener: Listener) -> bytes:
    """Connect and read to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_ipv6_that_is_switched_off(fail: Callable[..., None]) -> None:
    """A kernel that knows IPv6 but has no address for it is served over IPv4."""
    listener = Listener(0)
    listener.listen(Greeter)

    assert await greeting(listener) == b"hello"
    await listener.finish()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_answers_do_not_wait_for_acknowledgements(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Nagle's algorithm is off: head and body of an answer are two packets, 40 ms apart with it."""
    delays: list[int] = []

    class Curious(Greeter):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            delays.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            super().connection_made(transport)

    async def connect() -> None:
        listener = Listener(0)
        listener.listen(Curious)
        await greeting(listener)
        await listener.finish()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(connect())

    assert [bool(delay) for delay in delays] == [True]


async def test_a_client_that_left_is_skipped(fail: Callable[..., None]) -> None:
    """A connection aborted in the backlog does not end accepting."""
    fail(ConnectionAbortedError())
    listener = Listener(0)
    listener.listen(Greeter)

    assert await greeting(listener) == b"hello"
    await listener.finish()


async def test_no_file_descriptors(
    fail: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Connections wait in the backlog for a moment; the loop does not spin on them."""
    monkeypatch.setattr(listener_module, "_PAUSE", 0.01)
    fail(OSError(errno.EMFILE, "too many open files"))
    listener = Listener(0)
    listener.listen(Greeter)

    assert await greeting(listener) == b"hello"
    assert [record.getMessage() for record in caplog.records] == [
        "cannot accept connections: too many open files"
    ]
    await listener.finish()


async def test_a_close_during_that_moment(
    fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepting does not resume on a closed socket."""
    monkeypatch.setattr(listener_module, "_PAUSE", 0.0)
    listener = Listener(0)
    listener.listen(Greeter)
    fail(OSError(errno.EMFILE, "too many open files"))

    await listener.finish()
    resumed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, resumed.set_result, None)
    await resumed

    listener.close()


async def test_a_client_that_leaves_while_attached() -> None:
    """A connection that cannot be attached is closed, and nothing else happens."""

    def refuse() -> asyncio.Protocol:
        raise ConnectionResetError

    listener = Listener(0)
    listener.listen(refuse)

    assert await greeting(listener) == b""
    await listener.finish()


def test_the_filter_is_for_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere new connections cannot be kept out, and nothing is tried."""
    monkeypatch.setattr(sys, "platform", "darwin")

    with socket.socket() as unused:
        assert not drop_new_connections(unused)


def test_a_sandbox_without_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux that does not know the option is like another platform."""
    monkeypatch.setattr(sys, "platform", "linux")

    class Sandboxed(socket.socket):
        def setsockopt(self, *_option: Any) -> None:
            raise OSError(errno.ENOPROTOOPT, "unknown")

    with Sandboxed() as sandboxed:
        assert not drop_new_connections(sandboxed)


def test_a_kernel_with_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is attached as the kernel wants it: length and address of a program."""
    monkeypatch.setattr(sys, "platform", "linux")

    class Willing(socket.socket):
        given: bytes = b""

        def setsockopt(self, *option: Any) -> None:
            self.given = option[-1]

    with Willing() as willing:
        assert drop_new_connections(willing)
        assert struct.unpack("@HP", willing.given)[0] == 4


@pytest.mark.skipif(sys.platform != "linux", reason="classic BPF on sockets is Linux's")
def test_the_filter_keeps_new_connections_out_and_old_ones_going() -> None:
    """After it, attempts to connect hang, and a connection made before still works."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as old,
    ):
        if not drop_new_connections(server):
            pytest.skip("this kernel lets only root filter")
        with pytest.raises(TimeoutError):
            socket.create_connection(server.getsockname(), timeout=0.1)
        accepted, _address = server.accept()
        with accepted:
            old.sendall(b"x")
            received = accepted.recv(1)

    assert received == b"x"
