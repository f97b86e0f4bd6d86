"""Processes with telemetry: what they send last, when they leave, what they import."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from msp_opentelemetry._receiver.server import Receiver
from tests.msp_core.program import Program
from tests.msp_opentelemetry.conftest import points, spans, url
from tests.msp_opentelemetry.endpoint import Endpoint
from tests.msp_opentelemetry.test_logs import BODY, HEAD, port

JSON = {"SRC_LOG_FORMAT": "json"}


def test_burst_before_the_stop(tmp_path: Path, receiver: Receiver) -> None:
    """After SIGTERM right behind a burst every span and every measurement has arrived."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), **JSON}
    program = Program(tmp_path, BODY, environ, head=HEAD)
    address = f"http://127.0.0.1:{port(program)}/page/1"
    answered: list[int] = []

    def ask() -> None:
        with httpx.Client() as http:
            answered.extend(http.get(address).status_code for _ in range(100))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    code = program.stop()

    (duration,) = points(receiver, "http.server.request.duration")
    assert code == 0
    assert answered == [200] * 400
    assert len(spans(receiver)) == 400
    assert duration["count"] == 400


def test_hanging_receiver(tmp_path: Path, endpoint: Endpoint) -> None:
    """A receiver that hangs costs a warning for each signal, no request, no code, no budget."""
    endpoint.going.clear()
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url, "MSP_SHUTDOWN_BUDGET": "3s", **JSON}
    program = Program(tmp_path, BODY, environ, head=HEAD)
    address = f"http://127.0.0.1:{port(program)}/page/1"
    with httpx.Client() as http:
        codes = {http.get(address).status_code for _ in range(50)}
    code = program.stop()

    outcomes = {step["name"]: step for step in program.ledger()["steps"]}
    warned = [line for line in program.lines if line["SeverityText"] == "WARN"]
    told = [line["Body"] for line in warned if line["InstrumentationScope"] == "msp.opentelemetry"]
    assert codes == {200}
    assert code == 0
    assert outcomes["opentelemetry"]["outcome"] == "ok"
    assert outcomes["opentelemetry"]["seconds"] < outcomes["opentelemetry"]["share"]
    lost = [line.partition(" ")[0] for line in told if line.endswith("of them are lost")]
    assert sorted(lost) == ["metrics", "traces"]
    assert len(told) <= 3  # an export that hangs may have given up before the stop
    assert "Traceback" not in program.stderr


def test_variables_that_are_empty_or_unknown(tmp_path: Path, receiver: Receiver) -> None:
    """No variable of telemetry keeps a service from starting; one that is unknown is a line."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver),
        "OTEL_EXPORTER_OTLP_HEADERS": "",
        "OTEL_RESOURCE_ATTRIBUTES": "",
        "OTEL_TRACES_SAMPLER": "s3cr3t",
        **JSON,
    }
    program = Program(tmp_path, BODY, environ, head=HEAD)
    httpx.get(f"http://127.0.0.1:{port(program)}/page/1")
    code = program.stop()

    warned = [line for line in program.lines if line["SeverityText"] == "WARN"]
    (ignored,) = [line for line in warned if "OTEL_" in line["Body"]]
    assert code == 0
    assert ignored["Body"].startswith("OTEL_TRACES_SAMPLER is not one of its choices")
    assert "s3cr3t" not in program.stderr
    assert "GET /page/{id}" in {span["name"] for span in spans(receiver)}


@pytest.mark.parametrize(
    ("plugin", "environ", "foreign"),
    [
        ("opentelemetry", {}, "sentry_sdk"),
        ("sentry", {"SENTRY_DSN": "http://key@127.0.0.1:9/1"}, "opentelemetry"),
    ],
)
def test_alone(tmp_path: Path, plugin: str, environ: dict[str, str], foreign: str) -> None:
    """A service that declares one of the two imports nothing of the other, and works."""
    body = """
        @hookimpl
        async def msp_initialize(self, contract):
            loaded = {name.partition(".")[0] for name in sys.modules}
            print(f"loaded {' '.join(loaded)}.", flush=True)
            return NoopRoutine()
    """
    program = Program(tmp_path, body, {**JSON, **environ}, head=f"PLUGINS = ({plugin!r},)")
    code = program.stop()

    assert code == 0
    assert foreign not in program.stdout.split()
    assert f"msp_{plugin}" in program.stdout.replace(".", " ").split()


def test_declared_is_cheap() -> None:
    """Importing the plugin imports neither OpenTelemetry nor Google's libraries."""
    code = "import sys, msp_opentelemetry; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - code of this file

    assert not {"opentelemetry", "google", "grpc", "requests"} & set(done.stdout.split())
