"""Collector: a receiver of OTLP over gRPC that keeps the names of what it gets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(
    trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer
):
    """Keeps names, and the metadata of the last request."""

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

    @contextmanager
    def serving(self, credentials: grpc.ServerCredentials | None = None) -> Iterator[Collector]:
        """Serve while the block runs, with TLS when there are credentials."""
        server = grpc.server(futures.ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # generated
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # same
        address = "127.0.0.1:0"
        if credentials is None:
            self.port = server.add_insecure_port(address)
        else:
            self.port = server.add_secure_port(address, credentials)
        server.start()
        try:
            yield self
        finally:
            server.stop(None).wait()
