"""Ways to measure a service or a piece of code; each makes a contender's opening."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.drain import Drain
from benchmarks.ground import FOLDER, Ground, pin
from benchmarks.row import Measure, Opening, Sample
from benchmarks.service import Running, Service
from msp_core.dev import free_port

MILLI, MICRO = 1e3, 1e6
MEBI = 2**20
# A steady load that every service here can bear; requests a second.
STEADY_RATE = 1500.0
# A block of calls in a process is shorter than one of load: its processes take less to warm up.
BLOCKS = 4


def cold_start(service: Service) -> Opening:
    """Measure milliseconds from starting the process to its first answer."""

    @contextlib.contextmanager
    def opening(ground: Ground) -> Iterator[Measure]:
        def measure() -> Sample:
            with service.run(ground, pinned=False) as running:
                seconds = running.first_answer()
                return Sample(value=seconds * MILLI, cpu=running.cpu_seconds * MILLI)

        yield measure

    return opening


def throughput(service: Service) -> Opening:
    """Measure requests a second while 32 connections ask as fast as they are answered."""

    def measure(running: Running, ground: Ground) -> Sample:
        said = put_load(running, ground)
        cpu = said["requests"] / said["cpu_seconds"] if said["cpu_seconds"] else None
        return Sample(value=said["requests"] / said["seconds"], cpu=cpu)

    return under_load(service, measure)


def latency(service: Service, rate: float = STEADY_RATE) -> Opening:
    """Measure the 99th percentile in milliseconds at a steady rate, from when it was due."""

    def measure(running: Running, ground: Ground) -> Sample:
        said = put_load(running, ground, "--rate", str(rate))
        return Sample(value=said["p99"] * MILLI)

    return under_load(service, measure)


def memory(service: Service) -> Opening:
    """Measure the resident set in MB after a block of load."""

    def measure(running: Running, ground: Ground) -> Sample:
        put_load(running, ground)
        return Sample(value=running.memory / MEBI)

    return under_load(service, measure)


def response_time(service: Service, connections: int) -> Opening:
    """Measure microseconds of a request while that many connections are open, all of them busy."""

    def measure(running: Running, ground: Ground) -> Sample:
        said = put_load(running, ground, "--connections", str(connections))
        return Sample(
            value=said["seconds"] / said["requests"] * MICRO,
            cpu=said["cpu_seconds"] / said["requests"] * MICRO,
        )

    return under_load(service, measure)


def under_load(service: Service, measure: Callable[[Running, Ground], Sample]) -> Opening:
    """Start a service once and measure it again and again."""

    @contextlib.contextmanager
    def opening(ground: Ground) -> Iterator[Measure]:
        with service.run(ground, pinned=True) as running:
            running.first_answer()
            yield lambda: measure(running, ground)

    return opening


def put_load(running: Running, ground: Ground, *arguments: str) -> dict[str, Any]:
    """Put load on a service for one block, from another process; return what that printed."""
    where = [str(running.port), str(running.process.pid), "--seconds", str(ground.seconds)]
    command = [sys.executable, "-m", "benchmarks.load", *where, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=FOLDER.parent) as process:
        pin(process.pid, measured=False)
        output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(running.problem("the load was not put on"))
    said: dict[str, Any] = json.loads(output)
    return said


def block(script: str, *arguments: str, servers: tuple[str, ...] = ()) -> Opening:
    """Measure microseconds of one call: a script that runs a block of calls when it is told to.

    The script prints a line of JSON with `seconds` and `cpu_seconds` of one call for each line that
    it reads; see `benchmarks.blocks`.
    """

    @contextlib.contextmanager
    def opening(ground: Ground) -> Iterator[Measure]:
        with subprocess.Popen(
            [sys.executable, str(FOLDER / script), *arguments],
            env={**ground.environ(*servers), "PORT": str(free_port())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None  # noqa: S101 - opened as a pipe
            assert process.stderr is not None  # noqa: S101 - same
            drain = Drain(process.stderr)
            pin(process.pid, measured=True)
            yield lambda: ask_block(process, drain, ground)
            process.stdin.close()
            process.wait()
            drain.join()

    return opening


def ask_block(process: subprocess.Popen[bytes], drain: Drain, ground: Ground) -> Sample:
    """Let a script run one block."""
    assert process.stdin is not None  # noqa: S101 - opened as a pipe
    assert process.stdout is not None  # noqa: S101 - same
    process.stdin.write(f"{ground.seconds / BLOCKS}\n".encode())
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        drain.join()
        raise SystemExit(f"no answer: {process.args!r} left\n{drain.last}")
    said = json.loads(line)
    return Sample(value=said["seconds"] * MICRO, cpu=said["cpu_seconds"] * MICRO)


def once(
    script: str, *arguments: str, environ: Mapping[str, str] | None = None, repeat: int = 1
) -> Opening:
    """Measure milliseconds that a script says it took, in a process of its own each time.

    Args:
        script: prints a line of JSON at its end, with `seconds` and `cpu_seconds`.
        *arguments: of the script.
        environ: variables of its own; `MORE_PATH` is put in front of `PYTHONPATH`.
        repeat: how often it runs; the last time counts.
    """

    @contextlib.contextmanager
    def opening(ground: Ground) -> Iterator[Measure]:
        variables = {**ground.environ(), "PORT": str(free_port()), **(environ or {})}
        if more := variables.pop("MORE_PATH", None):
            variables["PYTHONPATH"] = f"{more}{os.pathsep}{variables['PYTHONPATH']}"

        command = [sys.executable, str(FOLDER / script), *arguments]

        def measure() -> Sample:
            for _ in range(repeat - 1):
                run_script(command, variables)
            said = run_script(command, variables)
            return Sample(value=said["seconds"] * MILLI, cpu=said["cpu_seconds"] * MILLI)

        yield measure

    return opening


def run_script(command: Sequence[str], variables: Mapping[str, str]) -> dict[str, Any]:
    """Run a script to its end; return what its last line says."""
    done = subprocess.run(command, env=variables, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[1]} left with {done.returncode}\n{done.stderr.decode()}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
