"""Sentry and OpenTelemetry go well together, and neither needs the other."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from tests.msp_core.program import Program

OF_SENTRY = re.compile(r"sentry|msp-sentry")
OF_OPENTELEMETRY = re.compile(r"opentelemetry|msp-opentelemetry")

# Nothing of that name can be imported, as where it is not installed.
ABSENT = """
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {foreign!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
PLUGINS = ({plugin!r},)
"""
BODY = """
@hookimpl
async def msp_initialize(self, contract):
    from msp_core.http import HTTPServer

    async def app(scope, receive, send):
        if scope["type"] == "http":
            raise OSError("disk on fire")
        raise NotImplementedError

    server = HTTPServer(app, contract)

    async def tell():
        await server.wait_started()
        print(f"port {server.port}.", flush=True)

    self.telling = asyncio.create_task(tell())
    return server
"""


def closure(distribution: str, *extras: str) -> Iterator[str]:
    """Yield the names of all distributions that installing one brings."""
    waiting, seen = [Requirement(f"{distribution}[{','.join(extras)}]")], set[str]()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        yield wanted.name
        try:
            texts = requires(wanted.name) or ()
        except PackageNotFoundError:  # of an extra that is not installed here
            continue
        for each in map(Requirement, texts):
            environments = [{"extra": extra} for extra in ("", *wanted.extras)]
            if each.marker is None or any(map(each.marker.evaluate, environments)):
                waiting.append(each)


@pytest.mark.parametrize(
    ("distribution", "foreign"),
    [("msp-sentry", OF_OPENTELEMETRY), ("msp-opentelemetry", OF_SENTRY)],
)
def test_brings_nothing_of_the_other(distribution: str, foreign: re.Pattern[str]) -> None:
    """What a plugin installs, with its server for laptops, has nothing of the other's."""
    names = set(closure(distribution, "dev"))

    assert {distribution, "msp-core", "attrs"} <= names
    assert [name for name in names if foreign.match(name)] == []


def serve_one_failure(
    folder: Path, plugin: str, foreign: str, environ: Mapping[str, str]
) -> Program:
    """Run a service that cannot import the other's packages, and let one request fail."""
    head = ABSENT.format(plugin=plugin, foreign=[foreign, f"msp_{foreign.partition('_')[0]}"])
    program = Program(folder, BODY, {"SRC_LOG_FORMAT": "json", **environ}, head=head)
    program.until("port ")
    program.until(".")
    port = int(program.stdout.split("port ")[1].split(".")[0])

    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 500
    assert program.stop() == 0

    return program


def test_sentry_alone(tmp_path: Path, sentry_environ: Mapping[str, str]) -> None:
    """Without OpenTelemetry's packages an error is an event."""
    environ = {**sentry_environ, "ENVIRONMENT_ID": uuid.uuid4().hex}
    serve_one_failure(tmp_path, "sentry", "opentelemetry", environ)
    origin = environ["SENTRY_DSN"].replace("dev@", "").removesuffix("/1")
    events = httpx.get(f"{origin}/events").json()
    (event,) = [each for each in events if each["environment"] == environ["ENVIRONMENT_ID"]]

    assert event["exception"]["values"][-1]["value"] == "disk on fire"


def test_opentelemetry_alone(tmp_path: Path, opentelemetry_environ: Mapping[str, str]) -> None:
    """Without Sentry's packages a request is a trace, and its lines name it."""
    environ = {**opentelemetry_environ, "OTEL_SERVICE_NAME": uuid.uuid4().hex}
    program = serve_one_failure(tmp_path, "opentelemetry", "sentry_sdk", environ)
    traces = httpx.get(f"{environ['OTEL_EXPORTER_OTLP_ENDPOINT']}/traces").json()
    ours = [each for each in traces if each["service"] == environ["OTEL_SERVICE_NAME"]]
    (trace,) = [each for each in ours if each["errors"]]  # the start is a trace, too

    assert trace["errors"] == 1
    (error,) = [line for line in program.lines if line["SeverityText"] == "ERROR"]
    assert error["TraceId"] == trace["trace_id"]
