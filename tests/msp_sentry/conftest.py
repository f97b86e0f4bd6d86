"""What the tests of msp_sentry share: a receiver, a service, and Sentry as it was before."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import pytest
import sentry_sdk
from opentelemetry import trace

from msp_core import NoopRoutine, ServiceContract, hookimpl, open_contract
from msp_sentry._error_lines import ErrorLines
from msp_sentry._receiver.server import Receiver
from tests.msp_core.program import Program

Open = Callable[..., AbstractAsyncContextManager[ServiceContract]]
"""(**variables) -> the contract of a service that reports to the receiver."""

Run = Callable[..., Program]
"""(body, **variables) -> a program that reports to the receiver."""


class Service:
    """A service that is not run."""

    name, version = "guestbook", "1.2.3"

    @hookimpl
    def msp_initialize(self) -> NoopRoutine:
        raise AssertionError


@pytest.fixture(autouse=True)
def without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that other tests of this process have used OpenTelemetry."""
    monkeypatch.setattr(trace, "get_tracer_provider", trace.ProxyTracerProvider)


@pytest.fixture(autouse=True)
def sentry_as_it_was() -> Iterator[None]:
    """Leave no client and no handler behind."""
    with sentry_sdk.isolation_scope():
        yield
    sentry_sdk.get_global_scope().set_client(None)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, ErrorLines)]:
        root.removeHandler(handler)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Give a running receiver."""
    with Receiver(0, tmp_path / "envelopes") as running:
        yield running


@pytest.fixture
def dsn(receiver: Receiver) -> str:
    """Give the receiver's DSN."""
    return f"http://dev@127.0.0.1:{receiver.port}/1"


@pytest.fixture
def opened(dsn: str) -> Open:
    """Give a function that opens a contract; all events have arrived when it is closed."""

    @contextlib.asynccontextmanager
    async def open_it(**variables: str) -> AsyncIterator[ServiceContract]:
        environ = {"PORT": "0", "ENVIRONMENT_ID": "test", "SENTRY_DSN": dsn, **variables}
        async with open_contract(environ, Service(), plugins=("sentry",)) as contract:
            yield cast("ServiceContract", contract)

    return open_it


@pytest.fixture
def events(receiver: Receiver) -> Callable[[], list[dict[str, Any]]]:
    """Give a function that returns the events that arrived."""
    return lambda: receiver.kept.payloads("event")


def note_waits(monkeypatch: pytest.MonkeyPatch, client: Any) -> list[float]:
    """Return the seconds that a client is given for closing, once it is closed."""
    close, waits = client.close, list[float]()

    def noting(seconds: float) -> None:
        waits.append(seconds)
        close(seconds)

    monkeypatch.setattr(client, "close", noting)
    return waits


def raised(error: BaseException) -> BaseException:
    """Return the error as it is when it was raised and caught."""
    try:
        raise error  # noqa: TRY301 - that is all it is for
    except BaseException as caught:  # noqa: BLE001 - whatever it was given
        return caught


@pytest.fixture
def run(tmp_path: Path, dsn: str) -> Iterator[Run]:
    """Give a function (body, **variables) that starts a service that reports to the receiver."""
    started: list[Program] = []

    def start(body: str, **variables: str) -> Program:
        environ = {"SENTRY_DSN": dsn, **variables}
        started.append(Program(tmp_path, body, environ, head='PLUGINS = ("sentry",)'))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.code()


def only(receiver: Receiver) -> dict[str, Any]:
    """Return the only event."""
    (event,) = receiver.kept.payloads("event")
    found: dict[str, Any] = event
    return found
