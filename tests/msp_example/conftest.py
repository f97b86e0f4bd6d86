"""The example as a process, and somebody for its proxy to talk to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from msp_core.dev import free_port
from tests.documentation import wait_ready

_PATIENCE = 30.0  # seconds; only reached when something is broken


@attrs.define
class ExampleProcess:
    """One run of `python -m msp_example`.

    Attributes:
        process: the run.
        port: where it answers.
        output: file with everything it printed.
    """

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the answer to one GET."""
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to one request."""
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", **options)

    def ready(self, path: str = "/-/ready") -> ExampleProcess:
        """Wait until that path answers 200."""
        wait_ready(self.port, self.process, path)
        return self

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.left()

    def left(self) -> int:
        """Wait until it leaves by itself, and return the exit code."""
        return self.process.wait(_PATIENCE)

    @property
    def printed(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Return its log lines."""
        return [json.loads(line) for line in self.printed.splitlines()]


StartExample = Callable[..., ExampleProcess]


@pytest.fixture
def start_example(tmp_path: Path) -> Iterator[StartExample]:
    """Give a function (environ, *arguments) that starts the example; all are stopped at the end."""
    started: list[ExampleProcess] = []

    def start(environ: Mapping[str, str], *arguments: str) -> ExampleProcess:
        port = free_port()
        output = tmp_path / f"output{len(started)}"
        # What coverage needs to see into the process, and nothing else of ours.
        kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
        with output.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603 - the example
                [sys.executable, "-m", "msp_example", *arguments],
                env={**kept, "PORT": str(port), **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        started.append(ExampleProcess(process, port, output))
        return started[-1]

    yield start
    for example in started:
        example.stop()


@pytest.fixture
def databases(
    postgresql_environ: Mapping[str, str], redis_environ: Mapping[str, str]
) -> dict[str, str]:
    """Give the variables of a real PostgreSQL and a real Redis."""
    return {**postgresql_environ, **redis_environ}


class _Echo(BaseHTTPRequestHandler):
    """Answers 418 with what it was asked."""

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", 0))
        asked = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        body = json.dumps(asked).encode()
        self.send_response(418)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    """Give the origin of a server that answers with what it was asked."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
