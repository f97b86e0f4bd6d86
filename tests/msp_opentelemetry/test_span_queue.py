"""Spans that wait: never too many, and none is dropped in silence."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from msp_opentelemetry._receiver.server import Receiver
from tests.msp_core.program import Program
from tests.msp_opentelemetry.conftest import Opened, url
from tests.msp_opentelemetry.endpoint import Endpoint
from tests.msp_opentelemetry.test_job import HEAD

MADE = 6000
JOB = f"""
    @hookimpl
    def msp_execute(self, contract):
        from opentelemetry import trace
        tracer = trace.get_tracer("probe")
        for number in range({MADE}):
            tracer.start_span("inside").end()
"""


def received(endpoint: Endpoint) -> int:
    """Return how many spans have arrived."""
    requests = [each.body for each in endpoint.received if each.path == "/v1/traces"]
    scopes = [
        scope
        for body in requests
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
    ]
    return sum(len(scope.spans) for scope in scopes)


def run_job(tmp_path: Path, receiver: Receiver, **environ: str) -> tuple[int, list[str]]:
    """Run the job; return its exit code, and what the plugin warned of."""
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), "SRC_LOG_FORMAT": "json", **environ}
    program = Program(tmp_path, JOB, given, head=HEAD)
    code = program.code()
    own = [line for line in program.lines if line["InstrumentationScope"] == "msp.opentelemetry"]
    return code, [line["Body"] for line in own]


def test_job_waits_for_what_the_queue_holds(tmp_path: Path, receiver: Receiver) -> None:
    """A job that makes as many spans as may wait loses none, although it ends at once."""
    code, told = run_job(tmp_path, receiver, OTEL_BSP_MAX_QUEUE_SIZE="8192")

    assert (code, told) == (0, [])
    assert receiver.store.counts()["spans"] == MADE + 1  # and that of the execution


def test_job_that_makes_more(tmp_path: Path, receiver: Receiver) -> None:
    """What a job makes beyond that is counted in one line; the job has succeeded all the same."""
    code, told = run_job(tmp_path, receiver, OTEL_BSP_MAX_QUEUE_SIZE="64")

    dropped = MADE + 1 - receiver.store.counts()["spans"]
    assert code == 0
    assert dropped > 0
    (line,) = [text for text in told if not text.startswith("telemetry: Queue full")]
    assert line.startswith(f"{dropped} spans were dropped")
    assert line.endswith("raise OTEL_BSP_MAX_QUEUE_SIZE")


async def test_bound(opened: Opened, endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """The queue keeps the newest: what is under way and what fits arrive, the rest is counted."""
    caplog.set_level(logging.WARNING)
    endpoint.going.clear()
    environ = {"OTEL_BSP_MAX_QUEUE_SIZE": "4", "OTEL_METRICS_EXPORTER": "none"}
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url, **environ):
        for _ in range(20):
            trace.get_tracer("probe").start_span("span").end()
        endpoint.going.set()

    (line,) = [record for record in caplog.records if hasattr(record, "dropped")]
    assert received(endpoint) <= 8  # one batch under way, and a full queue
    assert line.dropped == 20 - received(endpoint)


async def test_unsampled_spans_are_not_dropped(
    opened: Opened, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """A span that nobody wanted is not missing."""
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url, OTEL_TRACES_SAMPLER="always_off"):
        trace.get_tracer("probe").start_span("span").end()

    assert "dropped" not in caplog.text
