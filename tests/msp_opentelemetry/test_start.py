"""The start of a service is one trace, and nothing that comes later belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
from opentelemetry import trace

from msp_core import JobContract
from msp_opentelemetry import msp_start_part
from msp_opentelemetry._receiver.server import Receiver
from tests.msp_core.program import Program
from tests.msp_opentelemetry.conftest import Opened, spans, url
from tests.msp_opentelemetry.test_logs import BODY, HEAD, port

WORKING = """
    @hookimpl
    async def msp_initialize(self, contract):
        from opentelemetry import trace
        tracer = trace.get_tracer("probe")
        with tracer.start_as_current_span("inside"):
            logging.getLogger("probe").info("starting up")

        async def work():
            tracer.start_span("later").end()
            print("worked", flush=True)

        return PeriodicRoutine("work", work, interval=0.01)
"""
FAILING = """
    @hookimpl
    async def msp_initialize(self, contract):
        raise LookupError("no such table")
"""


def start(receiver: Receiver) -> dict[str, dict[str, Any]]:
    """Return the spans of the only start, by name."""
    (summary,) = [each for each in receiver.store.traces() if each["name"] == "start"]
    return {span["name"]: span for span in receiver.store.trace(summary["trace_id"]) or []}


def environ(receiver: Receiver) -> dict[str, str]:
    """Return the variables of the programs; nothing listens where their Redis is to be."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), "SRC_LOG_FORMAT": "json"}


def test_one_trace(tmp_path: Path, receiver: Receiver) -> None:
    """What is opened, and what the service does first, are parts of one span without error."""
    program = Program(
        tmp_path,
        BODY,
        {**environ(receiver), "REDIS_ENDPOINT": "redis://127.0.0.1:1"},
        head='PLUGINS = ("redis", "opentelemetry")',
    )
    httpx.get(f"http://127.0.0.1:{port(program)}/page/1")
    program.stop()

    found = start(receiver)
    root = found.pop("start")
    assert root["parent_span_id"] is None
    assert {"open redis", "initialize"} <= found.keys()
    assert found["initialize"]["parent_span_id"] == root["span_id"]
    assert {span["status"] for span in (root, found["initialize"])} == {"UNSET"}
    assert [span["name"] for span in spans(receiver)] == ["GET /page/{id}"]


def test_what_comes_later(tmp_path: Path, receiver: Receiver) -> None:
    """Tasks that the start has created go on in traces of their own."""
    program = Program(tmp_path, WORKING, environ(receiver), head=HEAD)
    program.until("service started")
    program.until("worked", times=program.stdout.count("worked") + 2)  # once surely afterwards
    program.stop()

    found = start(receiver)
    (line,) = [line for line in program.lines if line["Body"] == "starting up"]
    assert found["inside"]["parent_span_id"] == found["initialize"]["span_id"]
    assert line["TraceId"] == found["inside"]["trace_id"]
    assert "later" in {span["name"] for span in spans(receiver)}


def test_failure(tmp_path: Path, receiver: Receiver) -> None:
    """A start that fails has an error where it failed."""
    program = Program(tmp_path, FAILING, environ(receiver), head=HEAD)

    assert program.code() == 1

    found = start(receiver)
    assert {span["status"] for span in found.values()} == {"ERROR"}
    assert found["initialize"]["attributes"]["error.type"] == "LookupError"


async def test_nothing_to_trace(opened: Opened) -> None:
    """A job is traced by its execution; without telemetry there is nothing."""
    async with opened(OTEL_SDK_DISABLED="true") as contract:
        assert msp_start_part(contract, "start") is None
    async with opened() as contract:
        job = cast("JobContract", _Job(contract))
        assert msp_start_part(job, "start") is None
        assert not trace.get_current_span().get_span_context().is_valid


class _Job:
    """A contract that is no service's."""

    def __init__(self, contract: Any) -> None:
        self._contract = contract

    def __getitem__(self, client: type[Any]) -> Any:
        return self._contract[client]
