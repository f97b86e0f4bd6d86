"""What is measured of requests: seconds, in the buckets of the conventions, and how many run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracer

from msp_core.asgi import Message, Receive, Scope, Send
from msp_opentelemetry._spans import http as _http
from msp_opentelemetry._spans.http import HTTPTelemetry
from tests.msp_core.http_service import answer

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
SCOPE = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": []}


async def test_seconds_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request counts while it is served; then its seconds do."""
    now, running = 100.0, list[int]()
    taken = [factor * bound for bound in BOUNDS for factor in (0.99, 1.01)]
    monkeypatch.setattr(_http, "time", SimpleNamespace(monotonic=lambda: now))
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)

    def point(name: str) -> Any:
        data: Any = reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics
        return next(each for each in found if each.name == name).data.data_points[0]

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal now
        now += taken[len(running)]
        running.append(point("http.server.active_requests").value)
        await answer(send)

    async def send(_: Message) -> None: ...

    telemetry = HTTPTelemetry(NoOpTracer(), provider.get_meter("probe"), None)
    for _ in taken:
        await telemetry.middleware(app)({**SCOPE, "http_version": "2"}, None, send)

    duration = point("http.server.request.duration")
    assert duration.bucket_counts == (1, *[2] * 13, 1)
    assert duration.sum == pytest.approx(sum(taken))
    assert set(running) == {1}
    assert point("http.server.active_requests").value == 0
    provider.shutdown()
