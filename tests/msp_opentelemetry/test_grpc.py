"""OTLP over gRPC (extra `grpc`), against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace

from tests.msp_opentelemetry.collector import Collector
from tests.msp_opentelemetry.conftest import Opened


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give a collector that listens without TLS."""
    with Collector().serving() as collector:
        yield collector


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
