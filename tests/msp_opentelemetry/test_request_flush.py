"""Spans leave while there is a CPU, and no request waits for it."""

from __future__ import annotations

import json
import threading

import pytest
from opentelemetry import trace

from msp_opentelemetry._receiver.server import Receiver
from msp_opentelemetry._spans.request_flush import RequestFlush
from tests.msp_opentelemetry.conftest import Opened, asking, url
from tests.msp_opentelemetry.endpoint import Endpoint
from tests.msp_opentelemetry.test_http import plain
from tests.msp_opentelemetry.test_resource import METADATA
from tests.msp_opentelemetry.waiting import until

PATIENT = 30.0


def test_flushes_when_the_last_request_ends() -> None:
    """While others are served it is not urgent; a steady stream is flushed from time to time."""
    flushed = threading.Semaphore(0)
    now = 0.0
    flush = RequestFlush(flushed.release, clock=lambda: now)
    flush.count_in()
    flush.count_in()
    flush.count_out()

    assert not flush._due.is_set()

    flush.count_out()

    assert flushed.acquire(timeout=PATIENT)

    flush.count_in()
    flush.count_in()
    flush.count_in()
    now = 4.75
    flush.count_out()

    assert not flush._due.is_set()

    now = 5.0
    flush.count_out()

    assert flushed.acquire(timeout=PATIENT)

    flush.close()
    flush._thread.join(PATIENT)

    assert not flush._thread.is_alive()


@pytest.mark.parametrize("name", ["K_SERVICE", "CLOUD_RUN_JOB"])
async def test_on_cloud_run(
    opened: Opened, receiver: Receiver, endpoint: Endpoint, name: str
) -> None:
    """On Cloud Run a span arrives soon after its request, long before the SDK's timer."""
    endpoint.answer = 200, json.dumps(METADATA).encode()
    environ = {name: "guestbook", "GCE_METADATA_HOST": endpoint.url.removeprefix("http://")}
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver), **environ)) as http:
        await http.get("/")
        await until(lambda: receiver.store.counts()["spans"] == 1)


async def test_hanging_receiver_holds_no_request(opened: Opened, endpoint: Endpoint) -> None:
    """A flush that hangs costs requests nothing."""
    endpoint.going.clear()
    environ = {"K_SERVICE": "guestbook", "GCE_METADATA_HOST": "127.0.0.1:1"}
    environ |= {"OTEL_EXPORTER_OTLP_TIMEOUT": "300"}
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url, **environ)) as http:
        await http.get("/")
        await until(lambda: bool(endpoint.received))
        for _ in range(20):
            assert (await http.get("/")).status_code == 200
    assert trace.get_current_span().get_span_context().is_valid is False
