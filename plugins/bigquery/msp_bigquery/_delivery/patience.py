"""Patience: how long to go on trying, and how long to pause in between."""

from __future__ import annotations

import random
import threading

from msp_core.deadline import Deadline

_FIRST = 0.1  # seconds
_LONGEST = 5.0  # seconds
_HURRIED = 0.2  # seconds
_ATTEMPT = 10.0  # seconds one request may take
_SHORTEST_ATTEMPT = 0.05  # seconds; the libraries take no 0
_DOUBLINGS = 10  # beyond them the pause is the longest anyway


def pause(failures: int, chance: float) -> float:
    """Return the seconds to wait after that many failures in a row, from 1.

    Args:
        failures: how many.
        chance: from 0 to 1; spreads those who failed together.
    """
    longest = min(_LONGEST, _FIRST * 2.0 ** min(failures, _DOUBLINGS))
    return longest * (0.5 + 0.5 * chance)


class Stop:
    """Tells everybody who retries that there is little time left, or none; for threads."""

    def __init__(self) -> None:
        self.hurried = threading.Event()
        self.stopped = threading.Event()

    def hurry(self) -> None:
        """End the pauses that run, and keep those to come short."""
        self.hurried.set()

    def stop(self) -> None:
        """Let nothing be tried again."""
        self.stopped.set()
        self.hurried.set()


class Patience:
    """Says whether to try once more.

    Args:
        stop: ends it.
        seconds: in all; None for as long as `stop` lets it.
    """

    def __init__(self, stop: Stop, seconds: float | None = None) -> None:
        self._stop = stop
        self._deadline = None if seconds is None else Deadline.after(seconds)

    def attempt(self) -> float:
        """Return the seconds that the next request may take."""
        if self._deadline is None:
            return _ATTEMPT
        return max(_SHORTEST_ATTEMPT, min(_ATTEMPT, self._deadline.remaining()))

    def wait(self, failures: int) -> bool:
        """Wait before the next attempt; return whether there is to be one.

        Args:
            failures: in a row, from 1.
        """
        seconds = pause(failures, random.random())  # noqa: S311 - spreads load, protects nothing
        if self._deadline is not None and seconds >= self._deadline.remaining():
            return False
        if self._stop.hurried.is_set():
            self._stop.stopped.wait(min(seconds, _HURRIED))
        else:
            self._stop.hurried.wait(seconds)
        return not self._stop.stopped.is_set()
