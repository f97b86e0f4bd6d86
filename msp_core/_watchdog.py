"""Watchdog: a thread that ends the process in time when the event loop no longer can."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import NoReturn

from msp_core._stacks import thread_stacks
from msp_core.deadline import Deadline

logger = logging.getLogger("msp.stop")

FLUSH_SECONDS = 0.3
"""For the last lines; the platform's kill is near when the watchdog bites."""


class Watchdog:
    """Ends the process with 70 at a deadline, or at once with another code.

    Args:
        flush: (seconds) writes what was logged; called before the process ends.
        doing: () -> what is being stopped, to be named.
    """

    def __init__(self, flush: Callable[[float], object], doing: Callable[[], str]) -> None:
        self._flush = flush
        self._doing = doing
        # SimpleQueue.put is reentrant: signal handlers may call it at any point.
        self._orders: queue.SimpleQueue[Deadline | tuple[int, str] | None] = queue.SimpleQueue()
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
                self._leave(*order)
            deadline = order

    def _bite(self) -> NoReturn:
        own = frozenset({threading.get_ident()})
        doing = self._doing() or "leaving"
        logger.critical(
            "shutdown budget exceeded while stopping %s: leaving with 70",
            doing,
            extra={"step": doing, "stack": thread_stacks(without=own)},
        )
        self._exit(70)

    def _leave(self, code: int, why: str) -> NoReturn:
        logger.warning("%s: leaving at once with %d", why, code)
        self._exit(code)

    def _exit(self, code: int) -> NoReturn:
        self._flush(FLUSH_SECONDS)
        os._exit(code)
