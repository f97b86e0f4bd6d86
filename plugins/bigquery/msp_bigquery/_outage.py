"""Outage: says once that a table takes no rows, and once that it does again."""

from __future__ import annotations

import logging
import math
import threading
import time

logger = logging.getLogger("msp.bigquery")

_LINES_APART = 30.0  # seconds
_RECENT = 60.0  # seconds after the last failure in which it still counts as unhealthy


class Outage:
    """Whether the last thing heard of a table was bad; may be shared by threads.

    Args:
        table: named in the log.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        self._lock = threading.Lock()
        self._since: float | None = None
        self._last = 0.0
        self._text = ""
        self._told = False
        self._told_at = -math.inf

    def begin(self, text: str) -> None:
        """Note a failed request; logs one warning until `end`, and no more than one in 30 s.

        Args:
            text: why it failed, without values.
        """
        with self._lock:
            now = time.monotonic()
            self._since = self._since or now
            self._last, self._text = now, text
            # With every other request failing, outages begin and end many times a second.
            tell = not self._told and now - self._told_at >= _LINES_APART
            if tell:
                self._told, self._told_at = True, now
        if tell:
            logger.warning("table %r takes no rows: %s; tried again, with pauses", self.table, text)

    def end(self) -> None:
        """Note that rows were written; logs one line when there was a warning."""
        with self._lock:
            since, told = self._since, self._told
            self._since, self._told = None, False
        if told and since is not None:
            seconds = time.monotonic() - since
            logger.info("table %r takes rows again, after %.1f s", self.table, seconds)

    def current(self) -> str | None:
        """Return since when and why the table takes no rows; None when it does, as far as known.

        A failure counts for a minute: whoever writes nothing any more learns nothing new.
        """
        with self._lock:
            now = time.monotonic()
            if self._since is None or now - self._last > _RECENT:
                return None
            return (
                f"table {self.table!r} takes no rows since {now - self._since:.0f} s: {self._text}"
            )
