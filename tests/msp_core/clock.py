"""A clock for tests of seconds that nobody waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Turns of the event loop after which everything that a due timer sets off is done.
_TURNS = 20


class Clock:
    """A monotonic clock that the test moves; the event loop reads it too.

    It stands at a whole number of seconds, so that what a test adds is exact.
    """

    def __init__(self) -> None:
        self._real = time.monotonic
        self._goes_since: float | None = None
        self.now = float(int(self._real()))

    def __call__(self) -> float:
        return self.now + (self._real() - self._goes_since if self._goes_since else 0)

    def go(self) -> None:
        """Go by itself from now on, for what really waits."""
        self._goes_since = self._real()

    async def advance(self, seconds: float) -> None:
        """Let that much time pass, and let the event loop do what is due."""
        self.now += seconds
        for _ in range(_TURNS):
            await asyncio.sleep(0)


@contextmanager
def clock_for_all() -> Iterator[Clock]:
    """Give the clock that everybody reads while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(time, "monotonic", clock)
        yield clock
