"""Blocks of calls: what a script that measures a piece of code does when it is asked to.

Each line on standard input is a number of seconds; the calls are repeated for about that long, and
the answer is a line of JSON on standard output with the seconds of one call.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable

# Calls are counted in tens: some measured ones are bursts of ten.
LEAST = 10
# Seconds that tell how long a call takes.
ENOUGH = 0.01

# Runs that many calls.
Calls = Callable[[int], Awaitable[None]]


async def answer_blocks(calls: Calls) -> None:
    """Answer until standard input ends."""
    # Read in a thread: the loop is free meanwhile, as one that nobody asks is.
    while line := await asyncio.to_thread(sys.stdin.readline):
        number = await count_calls(calls, float(line))
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        await calls(number)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        print(json.dumps({"seconds": seconds / number, "cpu_seconds": cpu / number}), flush=True)


async def count_calls(calls: Calls, seconds: float) -> int:
    """Return how many calls take about that long."""
    number, took = LEAST, 0.0
    while took < ENOUGH:
        began = time.perf_counter()
        await calls(number)
        took = time.perf_counter() - began
        number *= 4
    return max(LEAST, int(seconds / took * number / 4))
