"""HTTPServer: what a request costs that needs nothing, counted and not timed."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pluggy
import pytest

import msp_core
from msp_core import hookimpl, open_contract
from msp_core.asgi import Receive, Scope, Send
from msp_core.contract import ServiceContract
from msp_core.http import HTTPServer
from msp_core.http._exchange import Exchange
from tests.msp_core.http_service import asgi_app, client, contract, serving
from tests.msp_core.installed import Installed

CORE = str(Path(msp_core.__file__).parent)
PLUGGY = str(Path(pluggy.__file__).parent)

# What the runtime calls of its own for such a request, none of it more than once.
STEPS = [
    "http/_front.py:__call__",
    "http/_body.py:has_body",
    "request.py:identity_of",
    "request.py:make",
    "http/_exchange.py:__init__",
    "http/_refusal.py:is_unserved_websocket",
    "http/_inflight.py:count_in",
    "http/_exchange.py:send",
    "http/_exchange.py:_begin",
    "http/_exchange.py:_names_request",
    "http/_server.py:_is_draining",
    "http/_exchange.py:send",
    "http/_exchange.py:_finish",
    "http/_inflight.py:count_out",
]

# Blocks of memory that the runtime may hold for each request in flight: 8 are its own, and other
# threads make some meanwhile. They were 31 with a layer for each of its steps.
BLOCKS = 12


@contextmanager
def calls_of(folder: str) -> Iterator[list[str]]:
    """Give the functions called from files in a folder while the block runs, in their order."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(folder) and frame.f_code.co_flags:
            called.append(f"{path.removeprefix(folder)[1:]}:{frame.f_code.co_name}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)


async def ask(app: Callable[..., Any]) -> list[Any]:
    """Ask as the server does; return the answer's messages."""
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    await asyncio.create_task(app(scope(), receive, send))
    return sent


def scope() -> dict[str, Any]:
    """Give the scope of a request that brings nothing."""
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"test")],
        "client": ("::ffff:127.0.0.1", 5000),
        "server": ("::ffff:127.0.0.1", 80),
    }


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nobody wants the access log."""
    logger = logging.getLogger("msp.http.access")
    before = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(before)


async def test_steps_of_a_request() -> None:
    """A request that needs nothing passes the runtime once, and no layer around another."""
    app = HTTPServer(asgi_app, contract())._stack()
    await ask(app)
    with calls_of(CORE) as called:
        sent = await ask(app)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert called == STEPS


class Service:
    """A service that is not run."""

    name = "guestbook"
    version = "1.2.3"

    @hookimpl
    async def msp_initialize(self) -> None: ...


async def test_no_hook_is_called(installed: Installed) -> None:
    """Once the contract is there, no request asks pluggy for anything."""
    installed.plugin(
        "one",
        """
        from msp_core import hookimpl

        @hookimpl
        def msp_asgi_middleware(contract):
            return lambda app: app
        """,
    )
    async with open_contract({"PORT": "0"}, Service(), plugins=("one",)) as given:
        assert isinstance(given, ServiceContract)
        app = HTTPServer(asgi_app, given)._stack()
        with calls_of(PLUGGY) as called:
            await ask(app)

    assert called == []


async def test_blocks_in_flight() -> None:
    """What the runtime holds for a request is a few blocks of memory."""
    waiting, release, number = asyncio.Semaphore(0), asyncio.Event(), 64

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waiting.release()
        await release.wait()
        await asgi_app(scope, receive, send)

    front = HTTPServer(app, contract())._stack()
    tracemalloc.start()
    try:
        asking = [asyncio.create_task(ask(front)) for _ in range(number)]
        for _ in range(number):
            await waiting.acquire()
        ours = tracemalloc.Filter(inclusive=True, filename_pattern=f"{CORE}/*")
        held = tracemalloc.take_snapshot().filter_traces([ours])
    finally:
        tracemalloc.stop()
    release.set()
    await asyncio.gather(*asking)

    assert sum(each.count for each in held.statistics("filename")) / number < BLOCKS


async def test_nothing_is_left_to_the_garbage_collector() -> None:
    """No request is part of a circle: its memory is free when it is over."""
    async with serving(asgi_app) as server, client(server) as http:
        await http.get("/")
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(10):
                await http.get("/")
            await asyncio.sleep(0)
            gc.collect()
            left = [each for each in gc.garbage if isinstance(each, Exchange)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()

    assert left == []
