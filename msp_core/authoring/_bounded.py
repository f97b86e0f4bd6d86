"""Bounded: running what may block, and may not keep its own timeout, under a hard deadline.

The thread is a daemon of its own. One of an executor's would be waited for: by the loop when it
closes, and by the interpreter when it ends.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from msp_core.routines._calls import contain_exit

ResultT = TypeVar("ResultT")


async def bounded(
    function: Callable[[], ResultT],
    *,
    name: str,
    seconds: float,
    late: Callable[[ResultT], object] | None = None,
) -> ResultT:
    """Return what a function returns from a thread of its own, without blocking the event loop.

    A thread that is late is left behind; it keeps neither the loop from closing nor the process
    from ending. What it raises then is lost. So it is when who waits is cancelled.

    Args:
        function: may block.
        name: of the thread.
        seconds: to wait at most.
        late: (result) -> anything; called, from any thread, with a result that nobody waits for
            any more, such as a connection that is to be closed. Default None: it is dropped.

    Raises:
        TimeoutError: the function did not return in time.
        RuntimeError: the function called `sys.exit`.
        Exception: what the function raises.
    """
    future = _start(function, name)
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(future)
    except (TimeoutError, asyncio.CancelledError):
        _give_up(future, late)
        raise


def bounded_sync(
    function: Callable[[], ResultT],
    *,
    name: str,
    seconds: float,
    late: Callable[[ResultT], object] | None = None,
) -> ResultT:
    """Do the same where there is no event loop, or where it may stand still; blocks."""
    future = _start(function, name)
    try:
        return future.result(seconds)
    except TimeoutError:
        _give_up(future, late)
        raise


def _start(function: Callable[[], ResultT], name: str) -> Future[ResultT]:
    future: Future[ResultT] = Future()
    # From now on nobody can cancel it, so that a result which comes late is still seen.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            with contain_exit(name):
                result = function()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _give_up(future: Future[ResultT], late: Callable[[ResultT], object] | None) -> None:
    """Have a result that is still to come, or came at this very moment, handed over."""
    if late is None:
        return
    take = late  # which mypy knows not to be None

    def hand_over(done: Future[ResultT]) -> None:
        if done.exception() is None:
            take(done.result())

    future.add_done_callback(hand_over)
