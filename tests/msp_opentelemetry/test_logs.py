"""Log lines carry the trace of the request they belong to."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from opentelemetry import trace

from msp_opentelemetry import msp_log_processor
from msp_opentelemetry._receiver.server import Receiver
from tests.msp_core.program import Program
from tests.msp_opentelemetry.conftest import Opened, spans, url

HEAD = 'PLUGINS = ("opentelemetry",)'
BODY = """
    @hookimpl
    async def msp_initialize(self, contract):
        from msp_core.http import HTTPServer
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route as Path

        async def page(request):
            if request.path_params["id"] == "fail":
                raise LookupError("no such page")
            logging.getLogger("probe").info("in the page")
            return PlainTextResponse("page")

        server = HTTPServer(Starlette(routes=[Path("/page/{id}", page)]), contract)

        async def tell():
            await server.wait_started()
            print(f"port {server.port}.", flush=True)

        self.telling = asyncio.create_task(tell())
        return server
"""


def port(program: Program) -> int:
    """Return the port it serves at."""
    program.until("port ")
    program.until(".")
    return int(program.stdout.split("port ")[1].split(".")[0])


def test_every_line_has_its_own_trace(tmp_path: Path, receiver: Receiver) -> None:
    """Lines inside a request, and its access line, carry the ids of the request's own span."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), "SRC_LOG_FORMAT": "json"}
    program = Program(tmp_path, BODY, environ, head=HEAD)
    address = f"http://127.0.0.1:{port(program)}/page/1"
    for _ in range(20):
        httpx.get(address)
    httpx.get(address, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    code = program.stop()

    lines = program.lines
    inside = [line for line in lines if line["Body"] == "in the page"]
    access = [line for line in lines if line["InstrumentationScope"] == "msp.http.access"]
    sent = {(span["trace_id"], span["span_id"]) for span in spans(receiver)}
    assert code == 0
    assert {(line["TraceId"], line["SpanId"]) for line in inside} == sent
    assert {(line["TraceId"], line["SpanId"]) for line in access} == sent
    assert len(sent) == len(inside) == len(access) == 21
    assert access[-1]["TraceId"] == "a" * 32


def test_report_of_an_error_has_its_trace(tmp_path: Path, receiver: Receiver) -> None:
    """What is logged about a request once its application has raised belongs to its trace."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), "SRC_LOG_FORMAT": "json"}
    program = Program(tmp_path, BODY, environ, head=HEAD)
    httpx.get(f"http://127.0.0.1:{port(program)}/page/fail")
    program.stop()

    (span,) = spans(receiver)
    told = {line["InstrumentationScope"]: line.get("TraceId") for line in program.lines}
    assert told["uvicorn.error"] == told["msp.http.access"] == span["trace_id"]


async def test_processor(opened: Opened) -> None:
    """The current span's ids are added; a line that says its own trace keeps it."""
    async with opened() as contract:
        add = msp_log_processor(contract)
        fields: dict[str, Any] = {}
        own: dict[str, Any] = {"trace_id": "own"}
        outside: dict[str, Any] = {}
        record = logging.makeLogRecord({})
        add(record, outside)
        with trace.get_tracer("probe").start_as_current_span("span") as span:
            add(record, fields)
            add(SimpleNamespace(trace_id="own"), own)

    assert outside == {}
    assert own == {"trace_id": "own"}
    assert fields == {
        "trace_id": f"{span.get_span_context().trace_id:032x}",
        "span_id": f"{span.get_span_context().span_id:016x}",
        "trace_sampled": True,
    }


async def test_disabled(opened: Opened) -> None:
    """Without telemetry, lines are left as they are."""
    async with opened(OTEL_SDK_DISABLED="true") as contract:
        fields: dict[str, Any] = {}
        msp_log_processor(contract)(logging.makeLogRecord({}), fields)

    assert fields == {}
