"""Blocking functions under a hard deadline, from an event loop and from a thread."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from msp_core.authoring import bounded, bounded_sync

PATIENT = 30.0

Run = Callable[..., Awaitable[Any]]


async def in_thread(function: Callable[[], Any], **options: Any) -> Any:
    """Call `bounded_sync` where it may block."""
    return await asyncio.to_thread(partial(bounded_sync, function, **options))


@pytest.fixture(params=[bounded, in_thread], ids=["async", "sync"])
def run(request: pytest.FixtureRequest) -> Run:
    """Return each of the two."""
    wanted: Run = request.param
    return wanted


def thread(name: str) -> threading.Thread:
    """Return the running thread of that name."""
    return next(each for each in threading.enumerate() if each.name == name)


async def test_result_and_error(run: Run) -> None:
    """What the function returns is returned, what it raises is raised."""
    assert await run(lambda: 7, name="seven", seconds=PATIENT) == 7

    with pytest.raises(ZeroDivisionError):
        await run(lambda: 1 / 0, name="nothing", seconds=PATIENT)


async def test_exit_is_an_error(run: Run) -> None:
    """A library that calls `sys.exit` tears nothing down."""
    with pytest.raises(RuntimeError, match=r"leaving called sys\.exit"):
        await run(sys.exit, name="leaving", seconds=PATIENT)


async def test_late_result_is_dropped(run: Run) -> None:
    """A function that is late is not waited for, and may end when it likes."""
    going = threading.Event()
    with pytest.raises(TimeoutError):
        await run(going.wait, name="late", seconds=0)
    late = thread("late")
    going.set()
    await asyncio.to_thread(late.join)
    await asyncio.sleep(0)  # the loop hears of it

    assert late.daemon


async def test_late_result_is_handed_over(run: Run) -> None:
    """A connection that comes too late can be closed."""
    going, closed = threading.Event(), threading.Event()
    taken: list[bool] = []

    def close(result: bool) -> None:  # noqa: FBT001 - what the function returns
        taken.append(result)
        closed.set()

    with pytest.raises(TimeoutError):
        await run(going.wait, name="late", seconds=0, late=close)
    going.set()

    assert await asyncio.to_thread(closed.wait, PATIENT)
    assert taken == [True]


async def test_late_error_is_dropped(run: Run) -> None:
    """What fails too late has no result to hand over, and disturbs nobody."""
    going = threading.Event()
    taken: list[Any] = []

    def fail() -> None:
        going.wait()
        raise OSError

    with pytest.raises(TimeoutError):
        await run(fail, name="failing late", seconds=0, late=taken.append)
    late = thread("failing late")
    going.set()
    await asyncio.to_thread(late.join)

    assert not taken


async def test_result_in_time_is_not_late(run: Run) -> None:
    """What was returned is the caller's own."""
    taken: list[int] = []

    assert await run(lambda: 7, name="seven", seconds=PATIENT, late=taken.append) == 7
    assert not taken


async def test_cancelled_caller() -> None:
    """Nobody waits any more once the caller is cancelled."""
    begun, going, closed = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        going.wait()

    waiting = asyncio.create_task(
        bounded(work, name="forgotten", seconds=PATIENT, late=lambda _: closed.set())
    )
    await asyncio.to_thread(begun.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    going.set()

    assert await asyncio.to_thread(closed.wait, PATIENT)


def test_loop_that_is_gone() -> None:
    """A function that outlives the event loop disturbs nobody."""
    going = threading.Event()
    with pytest.raises(TimeoutError):
        asyncio.run(bounded(going.wait, name="outliving", seconds=0))
    outliving = thread("outliving")
    going.set()
    outliving.join()

    assert not outliving.is_alive()
