"""Metrics of the process itself: event loop, garbage collector, CPU, memory, threads.

Imports the API.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

_EVERY = 1.0  # seconds between two looks at the event loop
_LAG = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_MEMORY = Path("/proc/self/statm")  # Linux
_PAGE = os.sysconf("SC_PAGE_SIZE")


@contextlib.asynccontextmanager
async def runtime_metrics(meter: Meter) -> AsyncIterator[None]:
    """Measure while the block runs; all but the event loop only when somebody collects."""
    _observe(meter)
    lag = meter.create_histogram(
        "asyncio.event_loop.lag",
        unit="s",
        description="How late the event loop runs what is due.",
        explicit_bucket_boundaries_advisory=_LAG,
    )
    watching = asyncio.create_task(_watch(lag), name="event loop lag")
    try:
        yield
    finally:
        watching.cancel()


def _observe(meter: Meter) -> None:
    meter.create_observable_counter(
        "process.cpu.time", [_cpu], unit="s", description="CPU seconds of the process, by mode."
    )
    meter.create_observable_up_down_counter(
        "process.thread.count", [_threads], unit="{thread}", description="Threads of the process."
    )
    if _MEMORY.exists():
        meter.create_observable_up_down_counter(
            "process.memory.usage", [_memory], unit="By", description="Physical memory in use."
        )
    for name, callback in (
        ("collections", _count_collections),
        ("collected_objects", _count_collected),
    ):
        meter.create_observable_counter(
            f"cpython.gc.{name}", [callback], description=f"{name} by generation."
        )


async def _watch(lag: Histogram) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY
        await asyncio.sleep(_EVERY)
        lag.record(max(0.0, loop.time() - due))


def _cpu(_: CallbackOptions) -> Iterable[Observation]:
    times = os.times()
    yield Observation(times.user, {"cpu.mode": "user"})
    yield Observation(times.system, {"cpu.mode": "system"})


def _threads(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(threading.active_count())


def _memory(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(int(_MEMORY.read_text("ascii").split()[1]) * _PAGE)


def _count_collections(_: CallbackOptions) -> Iterable[Observation]:
    return _by_generation("collections")


def _count_collected(_: CallbackOptions) -> Iterable[Observation]:
    return _by_generation("collected")


def _by_generation(name: str) -> Iterable[Observation]:
    for generation, stats in enumerate(gc.get_stats()):
        yield Observation(stats[name], {"cpython.gc.generation": generation})
