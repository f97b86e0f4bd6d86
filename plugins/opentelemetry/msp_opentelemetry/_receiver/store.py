"""Store: what the receiver of the dev resource has got. Imports OpenTelemetry's messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

_TRACES = 1000  # kept; the oldest go first
_NANO = 1e9


class Store:
    """Traces in memory and in a file, the newest point of each metric, and counts.

    Safe to use from any thread.

    Args:
        file: of traces, one span per line; read when it exists.
        most: traces that are kept. Default 1000.
    """

    def __init__(self, file: Path, *, most: int = _TRACES) -> None:
        self._file = file
        self._most = most
        self._lock = threading.Lock()
        self._traces: dict[str, list[dict[str, Any]]] = {}
        self._metrics: dict[str, dict[str, Any]] = {}
        self._counts = {"requests": 0, "spans": 0, "metric_points": 0, "log_records": 0}
        for span in _read(file):
            self._keep(span)
        self._rewrite()

    def add_traces(self, body: bytes) -> None:
        """Take an export request of traces."""
        spans = list(_spans(ExportTraceServiceRequest.FromString(body)))
        with self._lock:
            self._count("spans", len(spans))
            dropped = [self._keep(span) for span in spans]
            with self._file.open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(span)}\n" for span in spans)
            if any(dropped):
                self._rewrite()

    def add_metrics(self, body: bytes) -> None:
        """Take an export request of metrics."""
        points = list(_points(ExportMetricsServiceRequest.FromString(body)))
        with self._lock:
            self._count("metric_points", len(points))
            for point in points:
                key = json.dumps([point["service"], point["name"], point["attributes"]])
                self._metrics[key] = point

    def add_logs(self, body: bytes) -> None:
        """Take an export request of logs, which are counted only."""
        request = ExportLogsServiceRequest.FromString(body)
        with self._lock:
            scopes = (scope for each in request.resource_logs for scope in each.scope_logs)
            self._count("log_records", sum(len(scope.log_records) for scope in scopes))

    def counts(self) -> dict[str, int]:
        """Return how much was received since the start."""
        with self._lock:
            return dict(self._counts)

    def traces(self) -> list[dict[str, Any]]:
        """Return one summary per trace, the newest first."""
        with self._lock:
            return [_summary(name, spans) for name, spans in reversed(self._traces.items())]

    def trace(self, trace_id: str) -> list[dict[str, Any]] | None:
        """Return the spans of one trace in the order of their start; None when it is unknown."""
        with self._lock:
            spans = self._traces.get(trace_id)
            return None if spans is None else sorted(spans, key=lambda span: float(span["start"]))

    def metrics(self) -> list[dict[str, Any]]:
        """Return the newest point of each metric."""
        with self._lock:
            return list(self._metrics.values())

    def _count(self, what: str, amount: int) -> None:
        self._counts["requests"] += 1
        self._counts[what] += amount

    def _keep(self, span: dict[str, Any]) -> bool:
        """Put a span to its trace; return whether an older trace had to go."""
        self._traces.setdefault(span["trace_id"], []).append(span)
        if len(self._traces) <= self._most:
            return False
        del self._traces[next(iter(self._traces))]
        return True

    def _rewrite(self) -> None:
        lines = (f"{json.dumps(span)}\n" for spans in self._traces.values() for span in spans)
        new = self._file.with_suffix(".new")
        new.write_text("".join(lines), "utf-8")
        new.replace(self._file)


def _read(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        return
    for line in file.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # the last line of a process that was killed
            return


def _summary(trace_id: str, spans: list[dict[str, Any]]) -> dict[str, Any]:
    ids = {span["span_id"] for span in spans}
    root = next((span for span in spans if span["parent_span_id"] not in ids), spans[0])
    start = min(span["start"] for span in spans)
    end = max(span["start"] + span["duration"] for span in spans)
    return {
        "trace_id": trace_id,
        "name": root["name"],
        "service": root["service"],
        "start": start,
        "duration": round(end - start, 9),
        "spans": len(spans),
        "errors": sum(span["status"] == "ERROR" for span in spans),
    }


def _spans(request: ExportTraceServiceRequest) -> Iterator[dict[str, Any]]:
    for each in request.resource_spans:
        resource = _attributes(each.resource.attributes)
        for scope in each.scope_spans:
            for span in scope.spans:
                yield {**_span(span), **_origin(each.resource), "resource": resource}


def _span(span: Span) -> dict[str, Any]:
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "start": span.start_time_unix_nano / _NANO,
        "duration": (span.end_time_unix_nano - span.start_time_unix_nano) / _NANO,
        "status": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        "attributes": _attributes(span.attributes),
        "events": [
            {
                "name": event.name,
                "time": event.time_unix_nano / _NANO,
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ],
    }


def _points(request: ExportMetricsServiceRequest) -> Iterator[dict[str, Any]]:
    for each in request.resource_metrics:
        for metric in (metric for scope in each.scope_metrics for metric in scope.metrics):
            kind = str(metric.WhichOneof("data"))
            for point in getattr(metric, kind).data_points:
                yield {
                    "name": metric.name,
                    "unit": metric.unit,
                    "kind": kind,
                    "attributes": _attributes(point.attributes),
                    "time": point.time_unix_nano / _NANO,
                    **_value(point),
                    **_origin(each.resource),
                }


def _value(point: Any) -> dict[str, Any]:  # noqa: ANN401 - one of several messages
    if hasattr(point, "bucket_counts"):
        return {"count": point.count, "sum": point.sum}
    return {"value": getattr(point, point.WhichOneof("value"))}


def _origin(resource: Resource) -> dict[str, Any]:
    return {"service": _attributes(resource.attributes).get("service.name")}


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _plain_value_of(pair.value) for pair in pairs}


def _plain_value_of(value: AnyValue) -> Any:  # noqa: ANN401 - whatever it holds
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain_value_of(each) for each in value.array_value.values]
    return None if kind is None else getattr(value, kind)
