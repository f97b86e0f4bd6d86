"""Check-ins of a job, where the service declares Sentry and OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msp_opentelemetry._receiver.server import Receiver
from msp_sentry._receiver.server import Receiver as Sentry
from tests.msp_core.program import Program
from tests.msp_opentelemetry.conftest import spans, url

BODY = """
    @hookimpl
    def msp_execute(self, contract): ...
"""


@pytest.fixture
def sentry(tmp_path: Path) -> Iterator[Sentry]:
    """Give a receiver of check-ins."""
    with Sentry(0, tmp_path / "envelopes") as running:
        yield running


@pytest.mark.parametrize("plugins", [("sentry", "opentelemetry"), ("opentelemetry", "sentry")])
def test_trace(
    tmp_path: Path, receiver: Receiver, sentry: Sentry, plugins: tuple[str, str]
) -> None:
    """Both check-ins belong to the trace of the execution, in whatever order is declared."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver),
        "SENTRY_DSN": f"http://dev@127.0.0.1:{sentry.port}/1",
        "JOB_EXECUTION_CRON_SCHEDULE": "0 3 * * *",
        "JOB_EXECUTION_DEADLINE": "10m",
    }
    code = Program(tmp_path, BODY, environ, head=f"PLUGINS = {plugins!r}").code()

    (root,) = [span for span in spans(receiver) if span["name"] == "execute probe"]
    check_ins = sentry.kept.payloads("check_in")
    assert code == 0
    assert [each["status"] for each in check_ins] == ["in_progress", "ok"]
    assert {each["contexts"]["trace"]["trace_id"] for each in check_ins} == {root["trace_id"]}
