"""Watchdog: a thread that ends the process in time when the event loop no longer can."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import NoReturn

from msp_core import _budget
from msp_core._logs.setup import Logs
from msp_core._text.stacks import thread_stacks
from msp_core.deadline import Deadline

SCOPE = "msp.stop"

# Seconds that one who leaves waits for another one who does: only where that hangs.
_PATIENCE = 1.0


class Watchdog:
    """Ends the process with 70 at a deadline, or at once with another code.

    Args:
        logs: written and flushed without any lock that what hangs may hold.
        doing: () -> what is being stopped, to be named.
    """

    def __init__(self, logs: Logs, doing: Callable[[], str]) -> None:
        self._logs = logs
        self._doing = doing
        self._leaving = threading.Lock()  # never released
        # SimpleQueue.put is reentrant: signal handlers may call it at any point.
        self._orders: queue.SimpleQueue[Deadline | tuple[int, str] | None] = queue.SimpleQueue()
        # Started now: `arm` runs in signal handlers, which must not start threads.
        self._thread = threading.Thread(target=self._watch, name="msp-watchdog", daemon=True)
        self._thread.start()

    def arm(self, deadline: Deadline) -> None:
        """End the process at the deadline unless disarmed before. Safe in a signal handler."""
        self._orders.put(deadline)

    def leave(self, code: int, why: str) -> None:
        """End the process now. Safe in a signal handler."""
        self._orders.put((code, why))

    def disarm(self) -> None:
        """Stand down for good, and wait until the thread is gone."""
        self._orders.put(None)
        self._thread.join()

    def _watch(self) -> None:
        deadline: Deadline | None = None
        while True:
            try:
                order = self._orders.get(timeout=deadline.remaining() if deadline else None)
            except queue.Empty:
                self._bite()
            if order is None:
                return
            if isinstance(order, tuple):
                self.exit(*order)
            deadline = order

    def _bite(self) -> NoReturn:
        own = frozenset({threading.get_ident()})
        doing = self._doing() or "the process"
        self.exit(
            70,
            f"shutdown budget exceeded while stopping {doing}",
            step=doing,
            stack=thread_stacks(without=own),
        )

    def exit(self, code: int, why: str, **fields: object) -> NoReturn:
        """Log why, write what was logged, and end the process."""
        # One alone says why: the main thread may give up waiting just when the deadline comes.
        self._leaving.acquire(timeout=_PATIENCE)
        self._logs.emergency(f"{why}: leaving at once with {code}", scope=SCOPE, **fields)
        self._logs.flush(_budget.flush_of_last_lines())
        # Not `sys.exit`: it would end this thread alone, or wait in the main one for all others.
        os._exit(code)
