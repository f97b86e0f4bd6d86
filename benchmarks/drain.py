"""Drain: reads what a process prints, as a platform does, so that its pipe is never full."""

from __future__ import annotations

import os
import threading
from typing import IO

PIPE_READ = 1 << 20
LAST = 4000  # bytes that an error shows


class Drain:
    """Reads a pipe in a thread until its other end is closed.

    Args:
        pipe: to read, and to close at the end.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._last = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last(self) -> str:
        """The last of what was read."""
        return self._last.decode(errors="replace")

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _read(self) -> None:
        while data := os.read(self._pipe.fileno(), PIPE_READ):
            self._last = (self._last + data)[-LAST:]
        self._pipe.close()
