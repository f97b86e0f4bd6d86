"""How long a service takes from the start of its process until it is ready."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from msp_core.commands import ServiceArguments

# The first start also compiles, and keeps what the service declares; one alone may be unlucky.
STARTS = 3

# Seconds for a start; only reached when the service hangs.
PATIENCE = 60.0


def median_start(chosen: ServiceArguments, environ: Mapping[str, str]) -> float | None:
    """Start the service a few times and stop it again; return the median of the seconds.

    Returns:
        None when it did not become ready.
    """
    seconds = [_measure(chosen, environ) for _ in range(STARTS)]
    times = [each for each in seconds if each is not None]
    return statistics.median(times) if len(times) == STARTS else None


def _measure(chosen: ServiceArguments, environ: Mapping[str, str]) -> float | None:
    """Return the seconds of one start."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - this interpreter, and arguments that it was given itself
        [sys.executable, "-m", "msp_core", "run", "--format", "json", *_arguments(chosen)],
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            return _wait_ready(process, began)
        finally:
            process.send_signal(signal.SIGTERM)
            # A stop that hangs is ended by the runtime itself, within the shutdown budget.
            process.communicate()


def _wait_ready(process: subprocess.Popen[str], began: float) -> float | None:
    assert process.stdout is not None  # noqa: S101 - opened as a pipe
    # A start that hangs is ended, which ends the waiting for its first line.
    hanging = threading.Timer(PATIENCE, process.kill)
    hanging.start()
    try:
        ready = '"ready"' in process.stdout.readline()
    finally:
        hanging.cancel()
    return time.perf_counter() - began if ready else None


def _arguments(chosen: ServiceArguments) -> Sequence[str]:
    """Return the arguments that name the same service."""
    options = []
    if chosen.plugins is not None:
        options.append(f"--plugins={','.join(chosen.plugins)}")
    if chosen.distribution is not None:
        options.append(f"--distribution={chosen.distribution}")
    return options if chosen.name is None else [*options, chosen.name]
