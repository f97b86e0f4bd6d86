"""The example with all five plugins: what its receivers and its BigQuery get to see."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from msp_core.dev import free_port
from tests.conftest import ROOT
from tests.msp_example.conftest import ExampleProcess, StartExample

ALLOWED = {"Authorization": "Bearer hush"}

# Seconds; only reached when something is broken.
PATIENCE = 30.0

Line = dict[str, Any]


@attrs.frozen(kw_only=True)
class Seen:
    """What arrived.

    Attributes:
        telemetry: origin of the receiver of OpenTelemetry.
        sentry: origin of the receiver of events.
        bigquery: origin of the BigQuery emulator.
    """

    telemetry: str
    sentry: str
    bigquery: str

    def traces(self, name: str, service: str = "example") -> list[list[Line]]:
        """Return the spans of each trace whose root has that name."""
        found = [
            each["trace_id"]
            for each in _json(f"{self.telemetry}/traces")
            if (each["name"], each["service"]) == (name, service)
        ]
        return [_json(f"{self.telemetry}/traces/{trace_id}") for trace_id in found]

    def points(self, name: str, service: str) -> list[Line]:
        """Return the newest points of a metric."""
        points = _json(f"{self.telemetry}/metrics-received")
        return [each for each in points if (each["name"], each["service"]) == (name, service)]

    def events(self, environment: str) -> list[Line]:
        """Return the events of an environment."""
        events = _json(f"{self.sentry}/events")
        return [each for each in events if each["environment"] == environment]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what Google's client answers to a query."""
        client = bigquery.Client(
            project="local",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]  # of google-auth
            client_options={"api_endpoint": self.bigquery},
            default_query_job_config=bigquery.QueryJobConfig(default_dataset="local.local"),
        )
        with client:
            return [row.values() for row in client.query_and_wait(sql)]


def _json(url: str) -> Any:
    return httpx.get(url, timeout=PATIENCE).raise_for_status().json()


def _lines(example: ExampleProcess, path: str) -> list[Line]:
    """Return the access lines of a path."""
    lines = [json.loads(line) for line in example.printed.splitlines() if line.startswith("{")]
    return [
        line
        for line in lines
        if line["InstrumentationScope"] == "msp.http.access" and line["Attributes"]["path"] == path
    ]


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            pytest.fail("the condition never came true")
        time.sleep(0.05)


@pytest.fixture
def laptop(open_folder: Path, tmp_path: Path) -> Iterator[ExampleProcess]:
    """Give the example as `make run` starts it, with a diagnostics secret."""
    data = Path(tempfile.mkdtemp(dir=open_folder))
    data.chmod(0o711)
    kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
    environ = {"PORT": str(free_port()), "DIAGNOSTICS_SECRET": "hush", "SRC_LOG_FORMAT": "json"}
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - the example
            [sys.executable, "-m", "msp_core", "dev", "example", "--data", str(data)],
            cwd=ROOT / "example",
            env={**kept, "PATH": os.environ["PATH"], "OTEL_BSP_SCHEDULE_DELAY": "100", **environ},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    yield ExampleProcess(process, int(environ["PORT"]), output).ready()
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)


def test_five_resources_see_one_request(laptop: ExampleProcess) -> None:
    """`make run`: one trace through SQL and Redis, one access line, one row, and one event."""
    assert laptop.get("/").text == "Variable: 13"
    assert laptop.get("/debug/raise").status_code == 401
    assert laptop.get("/debug/raise", headers=ALLOWED).status_code == 500
    assert laptop.get("/-/healthz", headers=ALLOWED).status_code == 200

    _until(lambda: "ready in" in laptop.printed)
    banner = re.findall(r"^  (http://127\.0\.0\.1:\d+)/  (\w+)$", laptop.printed, re.MULTILINE)
    origins = {name: origin for origin, name in banner}
    seen = Seen(
        telemetry=origins["opentelemetry"], sentry=origins["sentry"], bigquery=origins["bigquery"]
    )
    visited = "SELECT page, trace_id FROM events WHERE name = 'page.visited'"
    _until(lambda: seen.rows(visited))
    _until(lambda: len(seen.traces("GET /debug/raise")) == 2)
    (spans,) = seen.traces("GET /")
    (line,) = _lines(laptop, "/")
    systems = Counter(span["attributes"].get("db.system.name") for span in spans)

    assert systems["redis"] == systems[None] == 1
    assert systems["postgresql"] >= 1
    assert {span["trace_id"] for span in spans} == {line["TraceId"]}
    assert seen.rows(visited) == [("/", line["TraceId"])]
    (event,) = seen.events("unknown")
    denied, raised = _lines(laptop, "/debug/raise")
    assert event["exception"]["values"][-1]["value"] == "raised on purpose"
    assert event["contexts"]["trace"]["trace_id"] == raised["TraceId"] != denied["TraceId"]
    assert seen.rows("SELECT name, COUNT(*) FROM events GROUP BY name ORDER BY name") == [
        ("page.visited", 1),
        ("service.checked", 1),
        ("service.initialized", 1),
    ]


@pytest.fixture
def everything(
    databases: Mapping[str, str],
    bigquery_environ: Mapping[str, str],
    sentry_environ: Mapping[str, str],
    opentelemetry_environ: Mapping[str, str],
) -> dict[str, str]:
    """Give the variables of all five resources, and names that tell this test's data apart."""
    return {
        **databases,
        **bigquery_environ,
        **sentry_environ,
        **opentelemetry_environ,
        "DIAGNOSTICS_SECRET": "hush",
        "ENVIRONMENT_ID": f"test-{uuid.uuid4().hex}",
        "OTEL_SERVICE_NAME": f"example-{uuid.uuid4().hex}",
    }


def test_nothing_of_a_burst_is_lost(
    start_example: StartExample, everything: dict[str, str]
) -> None:
    """SIGTERM right after a burst: spans, events, points, lines and rows are all there."""
    example = start_example(everything).ready()
    _burst(example, [*["/"] * 50, *["/debug/raise"] * 5], clients=4)
    code = example.stop()

    seen = Seen(
        telemetry=everything["OTEL_EXPORTER_OTLP_ENDPOINT"],
        sentry=everything["SENTRY_DSN"].replace("dev@", "").removesuffix("/1"),
        bigquery=everything["BIGQUERY_EMULATOR_HOST"],
    )
    service, environment = everything["OTEL_SERVICE_NAME"], everything["ENVIRONMENT_ID"]
    visits = {line["TraceId"] for line in _lines(example, "/")}
    raised = [line["TraceId"] for line in _lines(example, "/debug/raise")]
    traces = seen.traces("GET /", service)
    (requests,) = seen.points("example.requests", service)
    rows = seen.rows(
        "SELECT trace_id FROM events WHERE name = 'page.visited' "  # noqa: S608 - a name of ours
        f"AND environment_id = '{environment}'"
    )
    assert code == 0
    assert len(_lines(example, "/")) == len(visits) == 200
    assert {spans[0]["trace_id"] for spans in traces} == visits
    assert all({"INSERT primary", "HINCRBY"} <= {s["name"] for s in spans} for spans in traces)
    assert requests["value"] == 200
    assert _durations(seen, service) == {"/": 200, "/debug/raise": 20}
    assert sorted(rows) == sorted((trace_id,) for trace_id in visits)
    events = seen.events(environment)
    assert sorted(event["contexts"]["trace"]["trace_id"] for event in events) == sorted(raised)
    assert len(raised) == 20


def _burst(example: ExampleProcess, paths: list[str], *, clients: int) -> None:
    """Ask for all the paths from each of several clients at once."""

    def ask() -> None:
        address = f"http://127.0.0.1:{example.port}"
        with httpx.Client(headers=ALLOWED, base_url=address, timeout=PATIENCE) as client:
            for path in paths:
                client.get(path)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


def _durations(seen: Seen, service: str) -> dict[str, int]:
    """Return how many requests were measured, by route."""
    points = seen.points("http.server.request.duration", service)
    return {point["attributes"]["http.route"]: point["count"] for point in points}
