"""The command, in processes of its own: ready line, signals, and data that survives them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery_storage_v1 import types

from tests.msp_bigquery_emulator.conftest import connect
from tests.msp_bigquery_emulator.writing import TABLE, Kind, Stream, write_client

Start = Callable[..., "Running"]
SCHEMA = [{"name": "name", "type": "STRING"}, {"name": "age", "type": "INT64"}]


class Running:
    """An emulator in a process of its own."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "msp_bigquery_emulator", *arguments]
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ready(self) -> dict[str, Any]:
        """Return what it prints when it is ready."""
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline())
        return line

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal, and return the exit code and what else was printed."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str, str]:
        """Return the exit code and what else was printed."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give the function that starts an emulator on the test's data."""
    running: list[Running] = []
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (schemas / "people.json").write_text(json.dumps(SCHEMA))

    def begin(*arguments: str) -> Running:
        known = ["--project", "project-1", "--dataset", "d", "--data", str(tmp_path / "data")]
        running.append(Running([*known, "--schemas", str(schemas), *arguments]))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_life(start: Start, number: int) -> None:
    """It says where it is, in one line, and leaves quietly when asked to."""
    running = start()
    ready = running.ready()

    assert set(ready) == {"project", "dataset", "http", "grpc"}
    assert running.end(number) == (0, "", "")


def test_killed(start: Start) -> None:
    """What was answered is there after a kill: rows, insert ids, offsets."""
    running = start()
    ready = running.ready()
    with connect(ready["http"]) as client, write_client(ready["grpc"]) as writer:
        client.insert_rows_json("d.people", [{"name": "a"}], row_ids=["1"])
        committed = types.WriteStream(type_=Kind.COMMITTED)
        name = writer.create_write_stream(parent=TABLE, write_stream=committed).name
        stream = Stream(writer, name)
        stream.append({"name": "b"}, offset=0)
        stream.close()
        running.end(signal.SIGKILL)
    ready = start().ready()
    with connect(ready["http"]) as client:
        client.insert_rows_json("d.people", [{"name": "a"}], row_ids=["1"])
        rows = client.query_and_wait("SELECT name FROM d.people ORDER BY name")

        assert [row["name"] for row in rows] == ["a", "b"]


def test_data_in_use(start: Start) -> None:
    """A second emulator of one folder is refused with a sentence."""
    start().ready()
    code, out, err = start().wait()

    assert (code, out) == (1, "")
    assert err.startswith("msp-bigquery-emulator: ")


@pytest.mark.parametrize("option", ["--http-port", "--grpc-port"])
def test_port_in_use(start: Start, tmp_path: Path, option: str) -> None:
    """A port that is taken is refused with a sentence, and the same one serves again later."""
    first = start()
    ready = first.ready()
    port = ready["http" if option == "--http-port" else "grpc"].rpartition(":")[2]
    code, _, err = start(option, port, "--data", str(tmp_path / "other")).wait()
    first.end()
    again = start(option, port).ready()

    assert (code, "Traceback" in err) == (1, False)
    assert port in "".join(again.values())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--http-port", "70000"],
        ["--http-port", "a"],
        ["--query-timeout", "0"],
        ["--nope"],
    ],
)
def test_usage(start: Start, arguments: list[str]) -> None:
    """What the command does not take is a mistake in its use."""
    code, _, err = start(*arguments).wait()

    assert (code, "usage: msp-bigquery-emulator" in err) == (2, True)


def test_console_script() -> None:
    """The distribution installs the command."""
    command = [str(Path(sys.executable).with_name("msp-bigquery-emulator")), "--help"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, check=True, capture_output=True, text=True, env=dict(os.environ)
    )

    assert "not BigQuery" in done.stdout
