"""Ground: what measured processes stand on: real servers, sinks of telemetry, processors."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

import msp_bigquery
import msp_cloudsql
import msp_redis
from msp_core.dev import DevResource, DevResources

FOLDER = Path(__file__).parent
QUICK_TURNS = 3
QUICK_SECONDS = 0.3
SECONDS = 1.0


@attrs.frozen(kw_only=True)
class Ground:
    """What every contender gets.

    Attributes:
        folder: for files that are thrown away.
        quick: whether a rough answer is wanted soon.
        stack: ends what was started.
        started: variables of servers that run, by name of the plugin.
    """

    folder: Path
    quick: bool
    stack: contextlib.ExitStack
    started: dict[str, Mapping[str, str]] = attrs.field(factory=dict)

    def turns(self, wanted: int) -> int:
        """Return how many turns to take."""
        return min(QUICK_TURNS, wanted) if self.quick else wanted

    @property
    def seconds(self) -> float:
        """How long one block of load takes."""
        return QUICK_SECONDS if self.quick else SECONDS

    def environ(self, *servers: str) -> dict[str, str]:
        """Return all that a measured process sees; starts servers that do not run yet.

        Args:
            servers: names of plugins: `cloudsql`, `redis` and `bigquery` are real servers or
                emulators; `opentelemetry`, `otlp-grpc` and `sentry` throw away what is sent.
        """
        variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        variables["PYTHONPYCACHEPREFIX"] = str(self.folder / "bytecode")
        variables["PYTHONPATH"] = str(FOLDER.parent)
        for server in servers:
            if server not in self.started:
                self.started[server] = self._start(server)
            variables |= self.started[server]
        return variables

    def _start(self, server: str) -> Mapping[str, str]:
        if server == "sentry":
            return {"SENTRY_DSN": f"http://key@127.0.0.1:{self._start_sink('sink')}/1"}
        if server == "opentelemetry":
            endpoint = f"http://127.0.0.1:{self._start_sink('sink')}"
            return {
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                # Those of the specification: on a laptop the runtime sends at once, to show it.
                "OTEL_BSP_SCHEDULE_DELAY": "5000",
                "OTEL_METRIC_EXPORT_INTERVAL": "60000",
            }
        if server == "otlp-grpc":
            return {"OTLP_GRPC_ENDPOINT": f"127.0.0.1:{self._start_sink('sink_grpc')}"}
        folder = self.folder / server
        folder.mkdir()
        folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
        dev = DevResources({server: dev_resources()[server]}, folder)
        return self.stack.enter_context(dev).environ

    def _start_sink(self, module: str) -> int:
        """Return the port of a process that takes telemetry and throws it away."""
        sink = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}"],
            stdout=subprocess.PIPE,
            cwd=FOLDER.parent,
        )
        self.stack.enter_context(sink)
        self.stack.callback(sink.terminate)
        pin(sink.pid, measured=False)
        assert sink.stdout is not None  # noqa: S101 - opened as a pipe
        return int(json.loads(sink.stdout.readline())["port"])


@contextlib.contextmanager
def open_ground(*, quick: bool) -> Iterator[Ground]:
    """Give a ground, and end all that was started on it."""
    with TemporaryDirectory(prefix="msp-bench-") as name, contextlib.ExitStack() as stack:
        Path(name).chmod(0o711)  # as root, PostgreSQL runs as somebody else
        yield Ground(folder=Path(name), quick=quick, stack=stack)


@functools.cache
def dev_resources() -> dict[str, DevResource]:
    """Return the embedded servers of plugins, by name of the plugin."""
    modules = (msp_cloudsql, msp_redis, msp_bigquery)
    records = [module.msp_integration() for module in modules]
    return {record.name: record.dev for record in records if record.dev is not None}


def pin(pid: int, *, measured: bool) -> None:
    """Keep a process on the first processor if it is measured, on the others if it is not.

    A service has one processor, as on Cloud Run, and what asks it takes nothing of it. Where there
    is one processor only, or the system does not know how, nothing happens.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(pid, {first} if measured else set(others))
