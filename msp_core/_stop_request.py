"""StopRequest: why and until when the process is to stop; asked for by signals and failures."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import Any

from msp_core._watchdog import Watchdog
from msp_core.deadline import Deadline

logger = logging.getLogger("msp.stop")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequest:
    """The one request to stop that ends the wait of a running service.

    Python-level handlers are used, not the event loop's: they run, and arm the watchdog, even
    while the loop is stuck in a long computation.

    Args:
        budget: seconds from the request until the process must be gone.
        watchdog: armed by the request.

    Attributes:
        budget: see above; may be changed until the stop is asked for.
        limit: what the deadline is never after; None without one.
        second_signal_code: what the process leaves with when a second signal comes. Default 0.
        reason: `SIGTERM`, or what failed; empty until asked.
        deadline: when the budget is spent; None until asked.
    """

    def __init__(self, budget: float, watchdog: Watchdog) -> None:
        self.budget = budget
        self.limit: Deadline | None = None
        self.second_signal_code = 0
        self._watchdog = watchdog
        self._signals = 0
        self._wake: Callable[[], object] = _nothing
        self.reason = ""
        self.deadline: Deadline | None = None

    def ask(self, reason: str) -> Deadline:
        """Ask for the stop; the first reason counts. Returns the deadline."""
        if self.deadline is None:
            self.reason = reason
            within = Deadline.after(self.budget)
            self.deadline = min(within, self.limit or within, key=lambda each: each.when)
            self._watchdog.arm(self.deadline)
            self._wake()
        return self.deadline

    async def wait(self) -> None:
        """Wait until the stop is asked for; a request made before counts."""
        asked = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, asked.set)
        if self.deadline is None:
            await asked.wait()

    def take_signals(self) -> Callable[[], None]:
        """Let SIGTERM, SIGINT and SIGHUP ask for the stop; a second one leaves at once.

        Does nothing outside the main thread, where Python does not deliver signals.

        Returns:
            What puts the handlers back that were there before.
        """
        if threading.current_thread() is not threading.main_thread():
            return _nothing
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return partial(_put_back, before)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._signals += 1
        self.ask(name)
        if self._signals > 1:
            self._watchdog.leave(self.second_signal_code, f"second signal {name}")


def _put_back(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _nothing() -> None:
    """Do nothing: nobody waits yet for the request, or no handler was replaced."""
