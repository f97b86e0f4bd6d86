"""What a line costs under load, in things that can be counted."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from pathlib import Path

import pytest

from msp_core._logs import writer
from tests.msp_core.log_lines import configured, run_program

logger = logging.getLogger("guestbook")

LINES = 2_000

# Writes the number of system calls that wrote for each line, and of bytes, to stdout.
SOURCE = f"""
import asyncio, pathlib, sys
from msp_core._logs import writer

def written():
    counts = pathlib.Path("/proc/self/io").read_text().split()
    return int(counts[counts.index("syscw:") + 1])

async def log():
    for number in range({LINES}):
        logger.info("visited", extra={{"page": "/", "number": number}})
        await asyncio.sleep(0)

# What comes within so many seconds is under load, however slow this machine is.
writer.PAUSE, writer.FAST = 60.0, 120.0
logs = configured()
logger.info("first")
assert logs.flush(60)
before = written()
asyncio.run(log())
assert logs.flush(60)
print(written() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count")
def test_system_calls() -> None:
    """On a pipe, a line costs a tenth of a system call: what gathers is written together."""
    left = run_program(SOURCE)

    assert len(left.stderr.splitlines()) == LINES + 1
    assert int(left.stdout) / LINES < 0.15


def test_lost_lines_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody reads for a while loses lines, and the log says exactly how many."""
    monkeypatch.setattr(writer, "LIMIT", 100)
    reading, writing = os.pipe()
    received: list[bytes] = []
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "w") as stderr:
        logs = configured(stream=stderr)
        asyncio.run(log_much())
        thread = threading.Thread(target=lambda: received.extend(pipe))
        thread.start()
        asyncio.run(log_much())
        logs.close()
        stderr.close()
        thread.join()
    lines = [json.loads(line) for line in received]
    reports = [line["Attributes"]["lines"] for line in lines if line["Body"] != "visited"]

    assert sum(reports) >= LINES // 2
    assert len(lines) - len(reports) + sum(reports) == 2 * LINES


async def log_much() -> None:
    """Log on an event loop, which must not wait."""
    for _ in range(LINES):
        logger.info("visited")
