"""Transport: sends events from a thread of its own, and says once when it cannot."""

from __future__ import annotations

import logging
import threading
from typing import Any

from sentry_sdk.transport import HttpTransport

logger = logging.getLogger("msp.sentry")

_sending = threading.local()


class Transport(HttpTransport):
    """The SDK's transport, whose queue is bounded and which drops what does not fit in.

    It tells nobody; this one logs one warning per process. urllib3 would log one for each time it
    connects again, three for each event: those are dropped.
    """

    # Seconds for connecting and for the answer. The SDK's 30 would let one request that hangs
    # cost all events of half a minute.
    TIMEOUT = 5

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._warning = threading.Lock()  # never released: whoever gets it warns
        self.dropped = 0
        logging.getLogger("urllib3.connectionpool").addFilter(_is_of_others)

    def on_dropped_event(self, reason: str) -> None:
        """Note that an envelope was not delivered; called by the SDK from any thread."""
        self.dropped += 1
        if self._warning.acquire(blocking=False):
            logger.warning(
                "Sentry cannot be reached: events or check-ins are lost; said only once",
                extra={"reason": reason},
            )

    def _send_request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the SDK's signature
        _sending.on = True
        try:
            super()._send_request(*args, **options)
        finally:
            _sending.on = False


def _is_of_others(_: logging.LogRecord) -> bool:
    """Return whether a line is logged by a thread that is not sending an event right now."""
    return not getattr(_sending, "on", False)
