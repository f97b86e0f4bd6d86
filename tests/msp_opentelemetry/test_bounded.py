"""Blocking functions under a hard deadline."""

from __future__ import annotations

import asyncio
import threading

import pytest

from msp_opentelemetry._bounded import bounded

PATIENT = 30.0


def thread(name: str) -> threading.Thread:
    """Return the running thread of that name."""
    return next(each for each in threading.enumerate() if each.name == name)


async def test_result_and_error() -> None:
    """What the function returns is returned, what it raises is raised."""
    assert await bounded(lambda: 7, name="seven", seconds=PATIENT) == 7

    with pytest.raises(ZeroDivisionError):
        await bounded(lambda: 1 / 0, name="nothing", seconds=PATIENT)


async def test_late_result_is_dropped() -> None:
    """A function that is late is not waited for, and may end when it likes."""
    going = threading.Event()
    with pytest.raises(TimeoutError):
        await bounded(going.wait, name="late", seconds=0)
    late = thread("late")
    going.set()
    await asyncio.to_thread(late.join)
    await asyncio.sleep(0)  # the loop hears of it

    assert late.daemon


def test_loop_that_is_gone() -> None:
    """A function that outlives the event loop disturbs nobody."""
    going = threading.Event()
    with pytest.raises(TimeoutError):
        asyncio.run(bounded(going.wait, name="outliving", seconds=0))
    outliving = thread("outliving")
    going.set()
    outliving.join()

    assert not outliving.is_alive()
