"""Outage: says once that a table takes no rows, and once that it does again."""

from __future__ import annotations

import logging
import threading
import time

logger = logging.getLogger("msp.bigquery")

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

    def begin(self, text: str) -> None:
        """Note a failed request; logs one warning until `end`.

        Args:
            text: why it failed, without values.
        """
        with self._lock:
            now = time.monotonic()
            first, self._last, self._text = self._since is None, now, text
            if first:
                self._since = now
        if first:
            logger.warning("table %r takes no rows: %s; tried again, with pauses", self.table, text)

    def end(self) -> None:
        """Note that rows were written; logs one line when there was an outage."""
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
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
