"""A Sentry that is down, slow, hanging or refusing neither slows nor stops the program."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from msp_core import open_contract
from msp_sentry._client import Transport
from tests.msp_sentry.conftest import Open, Service, raised

logger = logging.getLogger("guestbook")

LOST = "Sentry cannot be reached: events or check-ins are lost; said only once"

# Errors; more than may wait for being sent would slow down the test, not the program.
COUNT = 300


@contextlib.contextmanager
def down() -> Iterator[int]:
    """Give a port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def hanging() -> Iterator[int]:
    """Give the port of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def answering(answer: bytes, delay: float = 0.0) -> Iterator[int]:
    """Give the port of a server with always the same answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    over.wait(delay)
                    with contextlib.suppress(OSError):
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):  # else what was not read resets it
                            pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


ERROR_500 = b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
ERROR_429 = (
    b"HTTP/1.1 429 Slow\r\nretry-after: 60\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


@contextlib.contextmanager
def hanging_once() -> Iterator[tuple[int, threading.Event]]:
    """Give the port of a server that answers the second request only, and whether there was one."""
    second = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError), server.accept()[0], server.accept()[0] as connection:
                connection.recv(65536)
                second.set()
                connection.sendall(FINE)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], second
        finally:
            with contextlib.suppress(OSError):  # as when both requests came
                server.shutdown(socket.SHUT_RDWR)
            thread.join(30)


OUTAGES: dict[str, Callable[[], AbstractContextManager[int]]] = {
    "down": down,
    "hanging": hanging,
    "slow": lambda: answering(FINE, delay=60.0),
    "500": lambda: answering(ERROR_500),
    "429": lambda: answering(ERROR_429),
}


async def seconds_for_errors(port: int) -> tuple[float, float]:
    """Return how long logging errors took, and closing."""
    environ = {"PORT": "0", "SENTRY_DSN": f"http://key@127.0.0.1:{port}/1"}
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(open_contract(environ, Service(), plugins=("sentry",)))
        began = time.perf_counter()
        for number in range(COUNT):
            logger.error("%d", number, exc_info=raised(OSError(number)))
        logged = time.perf_counter()
    return logged - began, time.perf_counter() - logged


@pytest.mark.parametrize("outage", OUTAGES)
async def test_costs_nothing(
    outage: str, dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors are logged as fast as with a Sentry that works; the stop is bounded; one warning."""
    monkeypatch.setattr("msp_sentry._plugin.FLUSH", 0.5)
    working, _ = await seconds_for_errors(int(dsn.rpartition(":")[2].partition("/")[0]))
    caplog.clear()
    with OUTAGES[outage]() as port:
        broken, closing = await seconds_for_errors(port)
    others = [each for each in caplog.records if each.name != logger.name]

    # Generous, as machines of tests are busy; one send in the caller's thread would take longer.
    assert broken < 3 * working + 1.0
    assert closing < 3.0
    assert [(each.name, each.getMessage()) for each in others] == [("msp.sentry", LOST)]


async def test_lines_of_others_stay(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    """What urllib3 says to a service that uses it itself is the service's business."""
    await seconds_for_errors(int(dsn.rpartition(":")[2].partition("/")[0]))
    logging.getLogger("urllib3.connectionpool").warning("connects again")

    assert "connects again" in caplog.messages


async def test_hanging_request_is_given_up(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that Sentry does not answer is lost; what waits behind it is not."""
    monkeypatch.setattr(Transport, "TIMEOUT", 0.2)
    with hanging_once() as (port, second):
        async with opened(SENTRY_DSN=f"http://key@127.0.0.1:{port}/1"):
            logger.error("lost", exc_info=raised(OSError()))
            logger.error("arrives", exc_info=raised(OSError()))
            assert await asyncio.to_thread(second.wait, 20)  # less than the SDK's own 30 seconds

    assert LOST in caplog.messages


async def test_patience_of_a_request(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting and the answer have five seconds together."""
    waits: list[float] = []
    wait = socket.socket.settimeout

    def noting(self: socket.socket, seconds: float | None) -> None:
        if threading.current_thread().name == "sentry-sdk.BackgroundWorker" and seconds:
            waits.append(seconds)
        wait(self, seconds)

    monkeypatch.setattr(socket.socket, "settimeout", noting)
    async with opened():
        logger.error("x", exc_info=raised(OSError()))

    assert waits[0] == 5
    assert all(4 < seconds <= 5 for seconds in waits)


async def test_memory_is_bounded(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than 512 events wait; what does not fit in is dropped, with one warning."""
    monkeypatch.setattr("msp_sentry._plugin.FLUSH", 0.05)
    with hanging() as port:
        environ = {"PORT": "0", "SENTRY_DSN": f"http://key@127.0.0.1:{port}/1"}
        async with open_contract(environ, Service(), plugins=("sentry",)) as contract:
            from msp_sentry import Sentry  # noqa: PLC0415 - imported by the contract's type only

            client = contract[Sentry].client()
            transport = client.transport
            for _ in range(600):
                logger.error("x", exc_info=raised(OSError()))

            assert isinstance(transport, Transport)
            assert 600 - 512 - 1 <= transport.dropped <= 600 - 512
    (warning,) = [each for each in caplog.records if "said only once" in each.getMessage()]
    assert warning.reason == "full_queue"  # type: ignore[attr-defined]


async def test_close_that_fails(
    dsn: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush that raises is over, and warned of."""

    def fail(_seconds: float) -> None:
        raise OSError("secret host")

    async with open_contract(
        {"PORT": "0", "SENTRY_DSN": dsn}, Service(), plugins=("sentry",)
    ) as contract:
        from msp_sentry import Sentry  # noqa: PLC0415 - imported by the contract's type only

        client = contract[Sentry].client()
        close = client.close
        monkeypatch.setattr(client, "close", fail)
    await asyncio.to_thread(close, 1.0)

    assert "secret host" not in caplog.text
    (line,) = [each for each in caplog.records if each.name == "msp.sentry"]
    assert line.error == "OSError"  # type: ignore[attr-defined]


async def test_close_is_told(
    dsn: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When Sentry cannot be closed in time, that is one warning."""
    monkeypatch.setattr("msp_sentry._plugin.FLUSH", 0.05)
    over = threading.Event()
    environ = {"PORT": "0", "SENTRY_DSN": dsn}
    async with open_contract(environ, Service(), plugins=("sentry",)) as contract:
        from msp_sentry import Sentry  # noqa: PLC0415 - imported by the contract's type only

        client = contract[Sentry].client()
        close = client.close
        monkeypatch.setattr(client, "close", lambda seconds: over.wait())
    over.set()
    await asyncio.to_thread(close, 1.0)

    (warning,) = [each for each in caplog.records if each.name == "msp.sentry"]
    assert (warning.getMessage(), warning.reason) == (LOST, "stop")  # type: ignore[attr-defined]
