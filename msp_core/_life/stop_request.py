"""StopRequest: why and until when the process is to stop; asked for by signals and failures."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import Any

import attrs

from msp_core._life.watchdog import Watchdog
from msp_core.deadline import Deadline
from msp_core.errors import UsageError

logger = logging.getLogger("msp.stop")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@attrs.frozen(eq=False)
class StopReason:
    """Why a process is to stop.

    Attributes:
        text: completes "stopped by …": `SIGTERM`, or what failed; empty before anybody asked.
        early: whether it comes from outside, before the work is done. Such a stop cuts a job
            short; any other one is the end of the work itself. Default False.
    """

    text: str
    early: bool = False


NOT_ASKED = StopReason("")


@attrs.frozen(kw_only=True, eq=False)
class _Asked:
    """The request that counts."""

    reason: StopReason
    deadline: Deadline


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
    """

    def __init__(self, budget: float, watchdog: Watchdog) -> None:
        self.budget = budget
        self.limit: Deadline | None = None
        self.second_signal_code = 0
        self._watchdog = watchdog
        self._signals = 0
        self._wake: Callable[[], object] = _do_nothing
        self._asked: dict[str, _Asked] = {}

    @property
    def signalled(self) -> bool:
        """Whether a signal came: then another one leaves at once."""
        return self._signals > 0

    @property
    def reason(self) -> StopReason:
        """Of the request that counts; `NOT_ASKED` until there is one."""
        return self._asked["first"].reason if self._asked else NOT_ASKED

    def ask(self, reason: StopReason = NOT_ASKED) -> Deadline:
        """Ask for the stop, from any thread or signal handler; the first request counts.

        Args:
            reason: why. Default: none, for who only needs the deadline of a stop under way.

        Returns:
            The deadline.
        """
        within = Deadline.after(self.budget)
        deadline = min(within, self.limit or within, key=lambda each: each.when)
        asked = _Asked(reason=reason, deadline=deadline)
        # Not under a lock: a signal handler may interrupt the very thread that holds it.
        # `setdefault` is one step for every thread and handler.
        first = self._asked.setdefault("first", asked)
        if first is asked:
            # The watchdog first: the process must end in time even if the loop does not wake.
            self._watchdog.arm(deadline)
            self._wake()
        return first.deadline

    async def wait(self) -> None:
        """Wait until the stop is asked for; a request made before counts."""
        asked = asyncio.Event()
        # Set before `_asked` is looked at: a request that comes between the two is not missed.
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, asked.set)
        if not self._asked:
            await asked.wait()

    def take_signals(self) -> Callable[[], None]:
        """Let SIGTERM, SIGINT and SIGHUP ask for the stop; a second one leaves at once.

        Does nothing outside the main thread, where Python does not deliver signals.

        Returns:
            What puts the handlers back that were there before.
        """
        if threading.current_thread() is not threading.main_thread():
            return _do_nothing
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return partial(_put_back, before)

    def watch_signals(self) -> None:
        """Let a thread handle signals from now on, for a main thread that may never do it again.

        Python runs a handler in the main thread, between two of its own steps, which do not come
        while it waits for a lock that nobody gives back.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        read, write = os.pipe()
        os.set_blocking(write, False)  # Python asks for that
        # Kept back meanwhile: a signal is handled here or there, not in both places.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in SIGNALS:
            # Still a handler, else Python would not write the number into the pipe.
            signal.signal(number, _leave_to_thread)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        threading.Thread(
            target=self._handle_from, args=(read,), name="msp-signals", daemon=True
        ).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _handle_from(self, pipe: int) -> None:
        while True:
            (number,) = os.read(pipe, 1)
            if number in SIGNALS:  # a service may handle others
                self._handle(number, None)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._signals += 1
        self.ask(StopReason(name, early=True))
        # By the watchdog's thread: this handler may have interrupted what holds a lock of logging.
        if self._signals > 1:
            self._watchdog.leave(self.second_signal_code, f"second signal {name}")


def stop_early(request: StopRequest, reason: str) -> None:
    """Ask for a stop from outside.

    Raises:
        UsageError: the reason is empty.
    """
    request.ask(StopReason(check_reason(reason), early=True))


def check_reason(reason: str) -> str:
    """Return the reason.

    Raises:
        UsageError: it is empty.
    """
    if not reason:
        raise UsageError('stop without a reason: expected a text that completes "stopped by"')
    return reason


def _put_back(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _leave_to_thread(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: a thread reads of the signal, too."""


def _do_nothing() -> None:
    """Do nothing: nobody waits yet for the request, or no handler was replaced."""
