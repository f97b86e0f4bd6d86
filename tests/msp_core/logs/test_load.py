"""What a line costs under load, in things that can be counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.msp_core.log_lines import run_program

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
