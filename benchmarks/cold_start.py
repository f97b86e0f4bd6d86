"""Cold start: from starting the process to its first real answer; `make bench`.

A few services, each run many times, taking turns so that a slow minute of the machine hits all of
them. PostgreSQL and Redis are real; they run before the clock does. Bytecode is compiled before
the first run that counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import psutil

import msp_cloudsql
import msp_redis
from msp_core.dev import DevResource, DevResources, free_port

FOLDER = Path(__file__).parent
PAGE = FOLDER / "README.md"
BEGIN, END = "<!-- begin: make bench -->\n", "<!-- end: make bench -->\n"
PATIENCE = 30.0  # seconds
POLL = 0.001  # seconds


@attrs.frozen(kw_only=True)
class Contender:
    """One service that is measured.

    Attributes:
        title: in the table.
        script: file in `services`.
        environ: variables of its own.
    """

    title: str
    script: str
    environ: Mapping[str, str] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Run:
    """One start of one service.

    Attributes:
        seconds: from starting the process to the last byte of its first answer.
        memory: peak resident set at that moment, in bytes.
    """

    seconds: float
    memory: int


BY_HAND = Contender(title="the same by hand, eager", script="by_hand.py")
CONTENDERS = (
    Contender(title="bare server, no resources", script="bare.py"),
    BY_HAND,
    Contender(title="on the runtime", script="on_the_runtime.py"),
    Contender(
        title="the same, no declaration kept",
        script="on_the_runtime.py",
        environ={"MSP_DECLARATION_CACHE": "false"},
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write it into the page if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="of each service (default: 15)")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    options = parser.parse_args(arguments)
    report = table(measure(options.runs))
    print(report)
    if options.write:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(head + BEGIN + report + END + rest.partition(END)[2])


def measure(runs: int) -> dict[Contender, list[Run]]:
    """Return the runs of each contender, the first one of each thrown away."""
    results: dict[Contender, list[Run]] = {contender: [] for contender in CONTENDERS}
    with tempfile.TemporaryDirectory(prefix="msp-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
        with DevResources(dev_resources(), folder) as resources:
            environ = child_environ(resources.environ, folder)
            for number in range(runs + 1):
                for contender in CONTENDERS:
                    run = cold_start(contender, environ)
                    results[contender] += [run] if number else []
    return results


def dev_resources() -> dict[str, DevResource]:
    """Return the embedded servers of both plugins."""
    records = (msp_cloudsql.msp_integration(), msp_redis.msp_integration())
    return {record.name: record.dev for record in records if record.dev is not None}


def child_environ(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return all that a measured process sees: where bytecode may be kept, and the contract."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode"), **variables}


def cold_start(contender: Contender, environ: Mapping[str, str]) -> Run:
    """Start, wait for the first answer, stop."""
    port = free_port()
    command = [sys.executable, str(FOLDER / "services" / contender.script)]
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**environ, **contender.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first_answer(port, process)
        return Run(seconds=time.perf_counter() - began, memory=peak_memory(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def first_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    """Ask until the service answers 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            time.sleep(POLL)
            continue
        if answer.startswith(b"HTTP/1.1 200"):
            return
        raise SystemExit(f"unexpected answer: {answer.decode()}")
    raise SystemExit(f"no answer: the process left with {process.poll()}")


def peak_memory(pid: int) -> int:
    """Return the process's peak resident set in bytes; where the system does not say, the current.

    `getrusage` is of no use: after a fork it starts with the peak of the parent.
    """
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return psutil.Process(pid).memory_info().rss


def table(results: Mapping[Contender, Sequence[Run]]) -> str:
    """Return the results as a Markdown table with a line about where they are from."""
    yardstick = statistics.median(run.seconds for run in results[BY_HAND])
    lines = [
        "| service | median | min | ratio of medians | peak RSS |",
        "|---|---:|---:|---:|---:|",
    ]
    for contender, runs in results.items():
        times = [run.seconds for run in runs]
        median = statistics.median(times)
        memory = statistics.median(run.memory for run in runs) / 2**20
        lines.append(
            f"| {contender.title} | {median * 1000:.0f} ms | {min(times) * 1000:.0f} ms "
            f"| {median / yardstick:.2f} | {memory:.0f} MB |"
        )
    runs_each = len(results[BY_HAND])
    about = (
        f"{runs_each} runs each, taking turns; Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    )
    return "\n".join([*lines, "", f"{about}.", ""])


if __name__ == "__main__":
    main()
