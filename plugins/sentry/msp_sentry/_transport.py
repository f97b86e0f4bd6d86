"""Transport: sends events from a thread of its own, and says once when it cannot."""

from __future__ import annotations

import logging
import threading
from typing import Any

from sentry_sdk.transport import HttpTransport

logger = logging.getLogger("msp.sentry")


class Transport(HttpTransport):
    """The SDK's transport, whose queue is bounded and which drops what does not fit in.

    It retries nothing and tells nobody; this one logs one warning per process.
    """

    # Seconds for connecting and for the answer. The SDK's 30 would let one request that hangs
    # cost all events of half a minute.
    TIMEOUT = 5

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._warning = threading.Lock()  # never released: whoever gets it warns
        self.dropped = 0

    def on_dropped_event(self, reason: str) -> None:
        """Note that an envelope was not delivered; called by the SDK from any thread."""
        self.dropped += 1
        if self._warning.acquire(blocking=False):
            logger.warning(
                "Sentry cannot be reached: events or check-ins are lost; said only once",
                extra={"reason": reason},
            )
