"""How often telemetry is sent: at once where somebody is looking."""

from __future__ import annotations

import pytest
from opentelemetry import trace

from msp_core import Platform
from msp_core.config import load
from msp_opentelemetry import OpenTelemetryConfig
from msp_opentelemetry._receiver.server import Receiver
from msp_opentelemetry._sdk.pace import Pace
from tests.msp_core.http_service import contract
from tests.msp_opentelemetry.conftest import Opened, points, url
from tests.msp_opentelemetry.waiting import until

LAPTOP = Pace(spans=200, metrics=1_000)
ELSEWHERE = Pace(spans=5_000, metrics=30_000)


@pytest.mark.parametrize(
    ("msp", "platform", "pace"),
    [
        (False, Platform.LOCAL, LAPTOP),
        (True, Platform.LOCAL, ELSEWHERE),
        (False, Platform.KUBERNETES, ELSEWHERE),
        (True, Platform.CLOUD_RUN, ELSEWHERE),
    ],
)
def test_pace(*, msp: bool, platform: Platform, pace: Pace) -> None:
    """A platform gets telemetry every few seconds, metrics as often as from a Go service."""
    config = load(OpenTelemetryConfig, {})

    assert Pace.of(config, contract(msp=msp, platform=platform)) == pace


def test_variables_win() -> None:
    """Variables of the specification win over both."""
    environ = {"OTEL_BSP_SCHEDULE_DELAY": "7", "OTEL_METRIC_EXPORT_INTERVAL": "8"}
    config = load(OpenTelemetryConfig, environ)

    assert Pace.of(config, contract(platform=Platform.LOCAL)) == Pace(spans=7, metrics=8)


async def test_sent_while_the_service_runs(opened: Opened, receiver: Receiver) -> None:
    """Spans and metrics arrive by themselves, in the pace that was chosen."""
    environ = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_METRIC_EXPORT_INTERVAL": "10"}
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver), **environ):
        trace.get_tracer("probe").start_span("span").end()
        await until(lambda: receiver.store.counts()["spans"] == 1)
        await until(lambda: bool(points(receiver, "otel.trace.exported_span.count")))
