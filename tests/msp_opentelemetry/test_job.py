"""The execution of a job is one trace."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from opentelemetry import trace

from msp_core import JobContract
from msp_core.execution import Execution
from msp_opentelemetry import msp_job_execution
from msp_opentelemetry._receiver.server import Receiver
from tests.msp_core.program import Program
from tests.msp_opentelemetry.conftest import Opened, spans, url

HEAD = 'PLUGINS = ("opentelemetry",)'
BODY = """
    @hookimpl
    def msp_execute(self, contract):
        from opentelemetry import trace
        with trace.get_tracer("probe").start_as_current_span("inside"):
            logging.getLogger("probe").info("working")
"""


def test_trace_of_a_job(tmp_path: Path, receiver: Receiver) -> None:
    """What a job does, and what it logs, belongs to the span of its execution."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), "SRC_LOG_FORMAT": "json"}
    program = Program(tmp_path, BODY, environ, head=HEAD)
    code = program.code()

    root, inside = spans(receiver)
    (working,) = [line for line in program.lines if line["Body"] == "working"]
    assert code == 0
    assert (root["name"], inside["parent_span_id"]) == ("execute probe", root["span_id"])
    assert (working["TraceId"], working["SpanId"]) == (root["trace_id"], inside["span_id"])
    assert root["attributes"]["msp.job.task.count"] == 1


async def test_failure(opened: Opened, receiver: Receiver) -> None:
    """A job that fails or is ended has an error in its trace, which names the platform's run."""
    execution = Execution(id="7", platform_execution="sweep-x7", attempt=1)
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)) as contract:
        context = msp_job_execution(cast("JobContract", contract), execution)

        assert context is not None

        await context.__aenter__()
        recording = trace.get_current_span().is_recording()
        error = LookupError("nothing to sweep")
        swallowed = await context.__aexit__(LookupError, error, None)

    (span,) = spans(receiver)
    assert recording
    assert not swallowed
    assert span["status"] == "ERROR"
    assert span["attributes"]["error.type"] == "LookupError"
    assert span["attributes"]["gcp.cloud_run.job.execution"] == "sweep-x7"
    assert [event["name"] for event in span["events"]] == ["exception"]


async def test_disabled(opened: Opened) -> None:
    """Without telemetry nothing is put around the job."""
    async with opened(OTEL_SDK_DISABLED="true") as contract:
        assert msp_job_execution(cast("JobContract", contract), Execution()) is None
