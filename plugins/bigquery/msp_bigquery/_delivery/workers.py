"""Workers: daemon threads for requests, which never keep a process from ending."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class Workers:
    """Runs functions in threads of its own, started as they are needed.

    The event loop's own threads must stay free for the service while BigQuery hangs.

    Args:
        threads: how many at most.
    """

    def __init__(self, threads: int) -> None:
        self._max = threads
        self._lock = threading.Lock()
        self._threads = 0
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def submit(self, function: Callable[..., ResultT], *args: object) -> Future[ResultT]:
        """Run a function with the caller's context variables; return what will hold its result."""
        future = Future[ResultT]()
        context = contextvars.copy_context()
        # Before a thread is started for it: one that is idle takes it at once.
        self._jobs.put(partial(_settle, future, partial(context.run, function, *args)))
        with self._lock:
            if self._threads < self._max:
                self._threads += 1
                name = f"msp-bigquery-{self._threads}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    def close(self) -> None:
        """End each thread once it is idle."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)
            self._threads = 0  # whoever comes later still gets an answer

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # holds rows


def _settle(future: Future[Any], run: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():  # nobody waits any more
        return
    try:
        future.set_result(run())
    except BaseException as error:  # noqa: BLE001 - belongs to whoever waits
        future.set_exception(error)
