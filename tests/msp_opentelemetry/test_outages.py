"""Receivers that are down, slow, hanging or failing: the service does not notice."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry import trace

from msp_core.deadline import Deadline, close_deadline
from msp_opentelemetry import OpenTelemetry
from msp_opentelemetry._sdk import flush
from msp_opentelemetry._sdk.flush import flush_in_parallel
from tests.msp_core.clock import clock_for_all
from tests.msp_opentelemetry.conftest import Opened
from tests.msp_opentelemetry.endpoint import Endpoint

SPANS = 5000


@contextmanager
def down() -> Iterator[str]:
    """Give the URL of nobody."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # taken, and not listened on
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


@contextmanager
def failing() -> Iterator[str]:
    """Give the URL of a receiver that answers 500."""
    with Endpoint(500, b"sorry").serving() as endpoint:
        yield endpoint.url


@contextmanager
def unavailable() -> Iterator[str]:
    """Give the URL of a receiver that answers 503, which asks to try again."""
    with Endpoint(503).serving() as endpoint:
        yield endpoint.url


@contextmanager
def hanging() -> Iterator[str]:
    """Give the URL of a receiver that takes requests and never answers."""
    with Endpoint().serving() as endpoint:
        endpoint.going.clear()
        yield endpoint.url


@pytest.mark.parametrize("receiver", [down, failing, unavailable, hanging])
async def test_sick_receiver(
    opened: Opened, caplog: pytest.LogCaptureFixture, receiver: type[Endpoint]
) -> None:
    """Spans cost no more, memory is bounded, there is one warning, and the stop is in time."""
    caplog.set_level(logging.WARNING)
    with receiver() as address:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_TIMEOUT": "300"}
        async with opened(**environ) as contract:
            tracer = trace.get_tracer("probe")
            began = time.monotonic()
            for _ in range(SPANS):
                tracer.start_span("span").end()
            took = time.monotonic() - began
            provider = contract[OpenTelemetry].tracer_provider
            (processor,) = provider._active_span_processor._span_processors  # type: ignore[attr-defined]  # the SDK shows its queue nowhere else
            waiting = len(processor._batch_processor._queue)
            budget = Deadline.after(9)
            assert waiting <= 2048

        assert took < SPANS * 0.002  # far below one timeout of an export
        assert budget.remaining() > 0

    told = [record for record in caplog.records if record.name == "msp.opentelemetry"]
    exports = [record for record in told if record.message.startswith("telemetry: ")]
    assert len(exports) == 1
    assert all(record.levelno == logging.WARNING for record in told)
    assert all(record.exc_info is None for record in caplog.records)
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]


async def test_flush_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Flushes that hang or fail are left behind together, before the deadline."""
    hold = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang() -> None:
        asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()

    def fail() -> None:
        raise LookupError("no exporter")

    deadline = Deadline.after(0.7)
    close_deadline.set(deadline)
    done = []
    await flush_in_parallel(
        {"one": hang, "two": hang, "three": fail, "four": lambda: done.append(1)}
    )
    early = deadline.remaining()
    hold.set()

    told = [record.message for record in caplog.records if record.name == "msp.opentelemetry"]
    assert early > 0
    assert done == [1]
    assert min(told).startswith("one were not flushed in 0.")
    assert "three were not flushed: LookupError: no exporter" in told
    assert len(told) == 3


async def test_most_of_a_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush takes 10 s at most, as in Go, and a little less than the stop leaves."""
    seen: list[float] = []

    async def note(_function: object, *, name: str, seconds: float) -> None:
        seen.append(seconds)

    monkeypatch.setattr(flush, "bounded", note)
    with clock_for_all():
        for given in (None, Deadline.after(60), Deadline.after(5)):
            close_deadline.set(given)
            await flush_in_parallel({"one": lambda: None})

    assert [round(seconds, 6) for seconds in seen] == [10, 10, 4.8]


async def test_flush_without_a_deadline(caplog: pytest.LogCaptureFixture) -> None:
    """Outside of the runtime the most a flush may take is a bound of its own."""
    caplog.set_level(logging.DEBUG, "msp.opentelemetry")
    done, began = [], time.monotonic()
    await flush_in_parallel({"one": lambda: done.append(1)})

    assert done == [1]
    (line,) = caplog.records
    assert line.message == "telemetry flushed"
    assert 0 <= vars(line)["seconds"] <= time.monotonic() - began + 0.0001  # rounded


async def test_flush_in_no_time(caplog: pytest.LogCaptureFixture) -> None:
    """With no time left nothing is waited for."""
    close_deadline.set(Deadline.after(0))
    hold = asyncio.Event()
    loop = asyncio.get_running_loop()
    await flush_in_parallel(
        {"one": lambda: asyncio.run_coroutine_threadsafe(hold.wait(), loop).result()}
    )
    hold.set()

    assert "one were not flushed in 0.0 s: the last of them are lost" in caplog.messages
