"""RequestFlush: exports spans while the platform gives the process a CPU."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_DUE = 5.0  # seconds; how often spans leave while there is always a request


class RequestFlush:
    """Flushes when the last request in flight has ended, in a thread of its own.

    With request-based billing Cloud Run takes the CPU away between requests, so that a timer of
    the SDK may fire minutes late. No request waits for the flush; at most one runs at a time.

    `began` and `ended` are called on the event loop.

    Args:
        flush: blocks until everything was exported, or has failed.
        clock: () -> seconds.
    """

    def __init__(
        self, flush: Callable[[], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._flush = flush
        self._clock = clock
        self._last = clock()
        self._in_flight = 0
        self._due = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="telemetry flush", daemon=True)
        self._thread.start()

    def count_in(self) -> None:
        """Count a request in."""
        self._in_flight += 1

    def count_out(self) -> None:
        """Count a request out, and flush when that is due."""
        self._in_flight -= 1
        if not self._in_flight or self._clock() - self._last >= _DUE:
            self._last = self._clock()
            self._due.set()

    def close(self) -> None:
        """Let the thread end once a flush under way is over."""
        self._closed = True
        self._due.set()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closed:
                return
            self._flush()
