"""Service: a script that is measured as a process of its own, from its start to its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import psutil

from benchmarks.drain import Drain
from benchmarks.ground import FOLDER, Ground, pin
from msp_core.dev import free_port

PATIENCE = 60.0  # seconds; only reached when something is broken
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
POLL = 0.001  # seconds


@attrs.frozen(kw_only=True)
class Service:
    """A service that answers `GET /` on `PORT`.

    Attributes:
        script: file in the folder of this package.
        arguments: of the script.
        servers: names of the plugins whose servers it needs.
        environ: variables of its own.
        python: the interpreter.
    """

    script: str
    arguments: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    environ: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    python: str = sys.executable

    @contextlib.contextmanager
    def run(self, ground: Ground, *, pinned: bool) -> Iterator[Running]:
        """Start, give the running service, stop.

        Args:
            ground: what it stands on.
            pinned: whether it is kept on one processor, which is what a measurement under load
                wants; a cold start takes what there is.
        """
        environ = {**ground.environ(*self.servers), **self.environ, "PORT": str(free_port())}
        command = [self.python, str(FOLDER / self.script), *self.arguments]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None  # noqa: S101 - opened as a pipe
        drain = Drain(process.stdout)
        running = Running(process=process, port=int(environ["PORT"]), began=began, drain=drain)
        if pinned:
            pin(process.pid, measured=True)
        try:
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()
                drain.join()


@attrs.define(kw_only=True, eq=False)
class Running:
    """A service that runs.

    Attributes:
        process: of it.
        port: where it answers.
        began: when it was started, by the performance counter.
        drain: reads what it prints.
    """

    process: subprocess.Popen[bytes]
    port: int
    began: float
    drain: Drain

    def first_answer(self) -> float:
        """Ask until it answers 200; return the seconds since it was started."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port)) as connection:
                    connection.sendall(REQUEST)
                    answer = b"".join(iter(lambda: connection.recv(65536), b""))
            except ConnectionError:
                time.sleep(POLL)
                continue
            if answer.startswith(b"HTTP/1.1 200"):
                return time.perf_counter() - self.began
            raise SystemExit(self.problem(f"unexpected answer: {answer.decode()}"))
        raise SystemExit(self.problem(f"no answer: the process left with {self.process.poll()}"))

    def problem(self, text: str) -> str:
        """Return the text with the last that it printed."""
        return f"{text}\n{self.drain.last}"

    @property
    def cpu_seconds(self) -> float:
        """The processor time that it has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def memory(self) -> int:
        """Its resident set, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    @property
    def peak_memory(self) -> int:
        """Its peak resident set in bytes; where the system does not say, the current one.

        `getrusage` is of no use: after a fork it starts with the peak of the parent.
        """
        status = Path(f"/proc/{self.process.pid}/status")
        if status.exists():
            (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
            return int(line.split()[1]) * 1024
        return self.memory
