"""OTLP over gRPC (extra `grpc`), against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from msp_opentelemetry._choice import Destination
from msp_opentelemetry._exporters import span_exporter
from tests.msp_opentelemetry.conftest import Opened
from tests.msp_redis.authority import Authority


class Collector(
    trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer
):
    """Counts what it gets."""

    def __init__(self) -> None:
        self.spans: list[str] = []
        self.metrics: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.port = 0

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        self.metadata = {each.key: each.value for each in context.invocation_metadata()}
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            scopes = request.resource_spans[0].scope_spans
            self.spans += [span.name for scope in scopes for span in scope.spans]
            return trace_service_pb2.ExportTraceServiceResponse()
        scopes = request.resource_metrics[0].scope_metrics
        self.metrics += [metric.name for scope in scopes for metric in scope.metrics]
        return metrics_service_pb2.ExportMetricsServiceResponse()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give a collector that listens without TLS."""
    server, collector = grpc.server(futures.ThreadPoolExecutor(2)), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]  # generated
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]  # same
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector
    server.stop(None).wait()


async def test_grpc(opened: Opened, collector: Collector) -> None:
    """Traces and metrics arrive over gRPC with their headers."""
    environ = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_HEADERS": "API-Key=1",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    address = f"http://127.0.0.1:{collector.port}"
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=address, **environ):
        trace.get_tracer("probe").start_span("span").end()

    assert collector.spans == ["span"]
    assert "process.cpu.time" in collector.metrics
    assert collector.metadata["api-key"] == "1"


def test_tls(tmp_path: Path) -> None:
    """An https endpoint is spoken to with the files of the variables."""
    authority = Authority.make("authority of the tests")
    file = tmp_path / "ca.pem"
    file.write_text(authority.pem)
    destination = Destination(
        url="https://127.0.0.1:1",
        protocol="grpc",
        timeout=0.2,
        certificate=str(file),
    )
    exporter = span_exporter(destination)
    exporter.shutdown()

    assert type(exporter).__module__ == "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"
