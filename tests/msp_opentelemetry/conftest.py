"""What the tests of msp_opentelemetry share: contracts with telemetry, and a real receiver."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from msp_core import ServiceContract, hookimpl, open_contract
from msp_opentelemetry._receiver.server import Receiver
from msp_opentelemetry._receiver.store import Store
from tests.msp_core.http_service import client, serving
from tests.msp_opentelemetry.endpoint import Endpoint

Opened = Callable[..., AbstractAsyncContextManager[ServiceContract]]
"""(variables) -> the contract of a service with telemetry."""


class Guestbook:
    """A service that is not run."""

    name = "guestbook"
    version = "1.2.3"

    @hookimpl
    async def msp_initialize(self) -> None: ...


@pytest.fixture
def opened() -> Opened:
    """Give a function that opens a contract with the plugin and these variables."""

    @contextlib.asynccontextmanager
    async def opened(**environ: str) -> AsyncIterator[ServiceContract]:
        plugins = ("opentelemetry",)
        given = {"PORT": "0", **environ}
        async with open_contract(given, Guestbook(), plugins=plugins) as contract:
            assert isinstance(contract, ServiceContract)

            yield contract

    return opened


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Give the dev resource's receiver, in this process."""
    with Receiver(0, Store(tmp_path / "traces.jsonl")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Give a receiver that takes everything."""
    with Endpoint().serving() as endpoint:
        yield endpoint


def url(receiver: Receiver) -> str:
    """Return where that receiver listens."""
    return f"http://127.0.0.1:{receiver.server_address[1]}"


def spans(receiver: Receiver) -> list[dict[str, Any]]:
    """Return all spans that were received, by start; without those of a service's own start."""
    summaries = receiver.store.traces()
    ids = [summary["trace_id"] for summary in summaries if summary["name"] != "start"]
    found = [span for each in ids for span in receiver.store.trace(each) or []]
    return sorted(found, key=lambda span: float(span["start"]))


def points(receiver: Receiver, name: str) -> list[dict[str, Any]]:
    """Return the newest points of a metric."""
    return [point for point in receiver.store.metrics() if point["name"] == name]


@contextlib.asynccontextmanager
async def asking(
    app: Callable[..., Any], opened: AbstractAsyncContextManager[ServiceContract], **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application that is served with telemetry."""
    async with (
        opened as contract,
        serving(app, contract, **options) as server,
        client(server) as http,
    ):
        yield http
