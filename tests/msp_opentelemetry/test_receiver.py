"""The dev resource: takes OTLP, keeps traces, answers questions."""

from __future__ import annotations

import asyncio
import gzip
import json
import runpy
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry import metrics, trace
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from msp_core.dev import DevResources
from msp_opentelemetry import _dev, msp_integration
from msp_opentelemetry._receiver.server import Receiver
from msp_opentelemetry._receiver.store import Store
from tests.msp_opentelemetry.conftest import Opened, url


def export(*names: str, trace_id: int = 1) -> ExportTraceServiceRequest:
    """Return an export request of one trace: each span is the child of the one before."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, name in enumerate(names):
        span = scope.spans.add(
            name=name, trace_id=trace_id.to_bytes(16, "big"), kind="SPAN_KIND_CLIENT"
        )
        span.span_id = (number + 1).to_bytes(8, "big")
        span.parent_span_id = number.to_bytes(8, "big") if number else b""
        span.start_time_unix_nano = (number + 10) * 10**9
        span.end_time_unix_nano = (number + 12) * 10**9
    return request


async def test_dev_resource(opened: Opened, tmp_path: Path) -> None:
    """A service given the resource's variables is seen through its questions; traces are kept."""
    dev = msp_integration().dev

    assert dev is not None

    with DevResources({"opentelemetry": dev}, tmp_path) as resources:
        environ = resources.environ
        base = environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        async with opened(**environ):
            with trace.get_tracer("probe").start_as_current_span("outer"):
                trace.get_tracer("probe").start_span("inner", attributes={"n": [1, 2]}).end()
            metrics.get_meter("probe").create_counter("greetings").add(1)
        async with httpx.AsyncClient(base_url=base) as http:
            (summary,) = (await http.get("/traces")).json()
            first = (await http.get(f"/traces/{summary['trace_id']}")).json()
            points = (await http.get("/metrics-received")).json()
            counts = (await http.get("/counts")).json()
        resources.stop()
        resources.start()
        async with httpx.AsyncClient(base_url=base) as http:
            again = (await http.get(f"/traces/{summary['trace_id']}")).json()

    assert environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
    assert (summary["name"], summary["service"], summary["spans"]) == ("outer", "guestbook", 2)
    assert [span["name"] for span in first] == ["outer", "inner"]
    assert first[1]["attributes"] == {"n": [1, 2]}
    assert again == first
    assert "greetings" in {point["name"] for point in points}
    assert counts["spans"] == 2


def test_requests(receiver: Receiver) -> None:
    """Compressed or not, what is OTLP is taken; what is not is refused."""
    body = export("a", "b").SerializeToString()
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add()
    with httpx.Client(base_url=url(receiver)) as http:
        plain = http.post("/v1/traces", content=body)
        packed = http.post(
            "/v1/traces", content=gzip.compress(body), headers={"content-encoding": "gzip"}
        )
        logged = http.post("/v1/logs", content=logs.SerializeToString())
        broken = http.post("/v1/traces", content=b"\xff\xff")
        unpacked = http.post("/v1/traces", content=body, headers={"content-encoding": "gzip"})
        unknown = http.post("/v1/profiles", content=b"")
        missing = http.get("/traces/ff")
        nothing = http.get("/nothing")
        paths = http.get("/").json()
        counts = http.get("/counts").json()
        points = http.get("/metrics-received").json()

    assert points == []
    assert paths == ["/traces", "/metrics-received", "/counts"]
    assert [plain.status_code, packed.status_code, logged.status_code] == [200, 200, 200]
    assert plain.headers["content-type"] == "application/x-protobuf"
    assert [broken.status_code, unpacked.status_code, unknown.status_code] == [400, 400, 404]
    assert [missing.status_code, nothing.status_code] == [404, 404]
    assert counts == {"requests": 3, "spans": 4, "metric_points": 0, "log_records": 1}


def test_memory_is_bounded(tmp_path: Path) -> None:
    """The oldest traces go, from the file too."""
    file = tmp_path / "traces.jsonl"
    store = Store(file, most=3)
    for number in range(1, 6):
        store.add_traces(export("a", "b", trace_id=number).SerializeToString())

    kept = [f"{number:032x}" for number in (5, 4, 3)]
    assert [summary["trace_id"] for summary in store.traces()] == kept
    assert len(file.read_text("utf-8").splitlines()) == 6
    assert [summary["trace_id"] for summary in Store(file, most=3).traces()] == kept


def test_torn_file(tmp_path: Path) -> None:
    """A last line that a killed process did not finish is dropped."""
    file = tmp_path / "traces.jsonl"
    Store(file).add_traces(export("a").SerializeToString())
    with file.open("a") as torn:
        torn.write('{"trace_id": "b')

    assert len(Store(file).traces()) == 1


def test_summary(tmp_path: Path) -> None:
    """A trace is named after its root and lasts from its first start to its last end."""
    store = Store(tmp_path / "traces.jsonl")
    request = export("root", "child", "grandchild")
    spans = request.resource_spans[0].scope_spans[0].spans
    spans[2].status.code = 2  # type: ignore[assignment]  # an error
    spans[1].events.add(name="retry", time_unix_nano=11 * 10**9)
    values = ArrayValue(values=[AnyValue(bool_value=True), AnyValue()])
    spans[1].attributes.append(KeyValue(key="list", value=AnyValue(array_value=values)))
    store.add_traces(request.SerializeToString())

    (summary,) = store.traces()
    found = store.trace(summary["trace_id"])
    assert summary == {
        "trace_id": f"{1:032x}",
        "name": "root",
        "service": None,
        "start": 10.0,
        "duration": 4.0,
        "spans": 3,
        "errors": 1,
    }
    assert found is not None
    assert found[1]["attributes"] == {"list": [True, None]}
    assert found[1]["events"] == [{"name": "retry", "time": 11.0, "attributes": {}}]
    assert json.loads(json.dumps(found)) == found


def test_main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process serves what its arguments say until it is ended."""
    served: list[Receiver] = []
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", lambda self: served.append(self))  # noqa: PLW0108 - bound
    monkeypatch.setattr(sys, "argv", ["receiver", "0", str(tmp_path / "traces.jsonl")])
    monkeypatch.delitem(sys.modules, "msp_opentelemetry._receiver.server")
    runpy.run_module("msp_opentelemetry._receiver.server", run_name="__main__")

    assert served[0].server_address[0] == "127.0.0.1"


async def test_not_ready_before_it_answers() -> None:
    """Somebody else on the port is not taken for the receiver."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.0 500 no\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with listener:
        with pytest.raises(ConnectionError):
            await _dev._ask(listener.sockets[0].getsockname()[1])
