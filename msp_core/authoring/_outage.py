"""Outage: says once that something fails, and once that it works again."""

from __future__ import annotations

import logging
import math
import threading
import time

# With every other attempt failing, outages begin and end many times a second.
_LINES_APART = 30.0  # seconds
_RECENT = 60.0  # seconds after the last failure in which it still counts


class Outage:
    """Whether the last that was heard of one thing is bad; may be shared by threads.

    Args:
        subject: what fails, as a sentence about it begins: `writing to table 'visits'`. Without
            values of variables.
        logger: gets the lines.
        level: of the line about the begin. Default WARNING, for what waits or is kept meanwhile;
            ERROR where somebody's request fails.
    """

    def __init__(self, subject: str, logger: logging.Logger, level: int = logging.WARNING) -> None:
        self._subject = subject
        self._logger = logger
        self._level = level
        self._lock = threading.Lock()
        self._since: float | None = None
        self._last = 0.0
        self._why = ""
        self._logged = False
        self._logged_at = -math.inf

    def begin(self, why: str, *, retried: bool = True) -> None:
        """Note a failure; logs one line until `end`, and no more than one in 30 s.

        Args:
            why: one clause, without values of variables.
            retried: whether it is tried again by itself, which the line then says. Default true.
        """
        with self._lock:
            now = time.monotonic()
            self._since = self._since or now
            self._last, self._why = now, why
            log_now = not self._logged and now - self._logged_at >= _LINES_APART
            if log_now:
                self._logged, self._logged_at = True, now
        if log_now:  # outside of the lock: a log handler may take its time
            then = "; it is tried again" if retried else ""
            self._logger.log(self._level, "%s fails: %s%s", self._subject, why, then)

    def end(self) -> None:
        """Note a success; logs one line when there was one about the begin."""
        with self._lock:
            since, logged = self._since, self._logged
            self._since, self._logged = None, False
        if logged and since is not None:
            seconds = time.monotonic() - since
            self._logger.info("%s works again after %.1f s", self._subject, seconds)

    def current(self) -> str | None:
        """Return since when and why it fails, for a health check; None when it works.

        A failure counts for a minute: where nobody tries any more, nobody learns that it works.
        """
        with self._lock:
            now = time.monotonic()
            if self._since is None or now - self._last > _RECENT:
                return None
            return f"{self._subject} fails since {now - self._since:.0f} s: {self._why}"
