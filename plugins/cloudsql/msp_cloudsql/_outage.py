"""Outage: says once that a pool cannot connect, and once that it can again."""

from __future__ import annotations

import logging
import time

logger = logging.getLogger("msp.cloudsql")


class Outage:
    """Whether the server of one pool is out of reach.

    Args:
        database: named in the log.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._since: float | None = None

    def begin(self) -> None:
        """Note that connecting failed for a while; logs one error until `end`."""
        if self._since is None:
            self._since = time.monotonic()
            logger.error(
                "database %r: cannot connect; tried again with each use of the pool",
                self._database,
            )

    def end(self) -> None:
        """Note that a connection works; logs one line when there was an outage."""
        if self._since is not None:
            seconds, self._since = time.monotonic() - self._since, None
            logger.info("database %r: connected again after %.1f s", self._database, seconds)
