"""Sampling: of lines that repeat within a second, only some; off unless asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable


class Sampling:
    """A filter of the kind `logging` takes: lets the first lines of a second pass, then some.

    Lines count as the same when level and text before its arguments are; where the text is all
    argument, it counts with it. Two threads that meet
    here may let one line more pass; a lock would cost every line more than that is worth.

    Args:
        initial: how many of the same pass in each second, above 0.
        thereafter: of the rest, each one whose number is a multiple of this passes, above 0.
        clock: () -> seconds.
    """

    def __init__(
        self, initial: int, thereafter: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._initial = initial
        self._thereafter = thereafter
        self._clock = clock
        self._second = 0
        self._counts: dict[tuple[int, str], int] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._counts = second, {}
        key = record.levelno, _text(record)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        return count <= self._initial or (count - self._initial) % self._thereafter == 0


def _text(record: logging.LogRecord) -> str:
    if record.msg == "%s":
        try:
            return record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit; whoever formats it says so
            return "%s"
    return str(record.msg)
