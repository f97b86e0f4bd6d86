"""Bounded: running what may block, and may not keep its own timeout, under a hard deadline."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def bounded(function: Callable[[], ResultT], *, name: str, seconds: float) -> ResultT:
    """Return what a function returns from a thread of its own.

    A thread that is late is left behind; as a daemon it does not keep the process from ending.

    Args:
        function: may block.
        name: of the thread.
        seconds: to wait at most.

    Raises:
        TimeoutError: the function did not return in time.
        Exception: what the function raises.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[ResultT] = loop.create_future()

    def tell(result: ResultT | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # what it returned

    def run() -> None:
        result, error = None, None
        try:
            result = function()
        except BaseException as failure:  # noqa: BLE001 - raised where it is waited for
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop is gone, and nobody waits
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future
