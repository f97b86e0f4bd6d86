"""LoopThread: an event loop in a thread of its own, for programs without asyncio."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import attrs

from msp_core.deadline import Deadline

ResultT = TypeVar("ResultT")


@attrs.frozen(kw_only=True, eq=False)
class _Running:
    """The loop of one process.

    Attributes:
        loop: runs until `stopped` is set.
        stopped: an event of that loop.
        thread: where it runs; a daemon, so that what hangs on it never keeps a process from ending.
    """

    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Event
    thread: threading.Thread


class LoopThread:
    """Runs coroutines for callers of any thread; the child of a fork gets a loop of its own.

    The parent's loop must never run in a child: they share what the kernel keeps of it, so that
    the child would take away the parent's events.
    """

    def __init__(self) -> None:
        # By process: the child of a fork inherits the entries of its parent and must not use them.
        # A lock that a thread of the parent held at that moment would stay locked for ever.
        self._locks: dict[int, threading.Lock] = {}
        self._running: dict[int, _Running] = {}

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return this process's loop, started when it is first asked for."""
        running = self._running.get(os.getpid())
        if running is None:
            with self._locks.setdefault(os.getpid(), threading.Lock()):
                # Once more: another thread may have started it while this one waited.
                running = self._running.get(os.getpid()) or self._start()
        return running.loop

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine on the loop and return its result; one that nobody awaits is cancelled.

        Raises:
            Exception: what the coroutine raises.
        """
        future = asyncio.run_coroutine_threadsafe(work, self.loop())
        try:
            return future.result()
        finally:
            future.cancel()  # Ctrl-C ends the wait alone; nothing happens to one that is done

    def stop(self, deadline: Deadline) -> None:
        """End this process's loop, and wait for its thread until the deadline."""
        # Taken out first: nobody may be given a loop that is about to end.
        running = self._running.pop(os.getpid(), None)
        if running is not None:
            running.loop.call_soon_threadsafe(running.stopped.set)
            running.thread.join(deadline.remaining())

    def _start(self) -> _Running:
        started: Future[_Running] = Future()

        async def live() -> None:
            loop, stopped = asyncio.get_running_loop(), asyncio.Event()
            started.set_result(_Running(loop=loop, stopped=stopped, thread=thread))
            await stopped.wait()

        thread = threading.Thread(
            target=lambda: asyncio.run(live()), name="msp-contract", daemon=True
        )
        thread.start()
        running = self._running[os.getpid()] = started.result()
        return running
