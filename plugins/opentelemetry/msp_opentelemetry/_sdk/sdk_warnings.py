"""SDKWarnings: what OpenTelemetry logs itself, as few warnings in our own words."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator

logger = logging.getLogger("msp.opentelemetry")

# Seconds after a warning in which others of its kind are only counted.
SILENCE = 300.0

_EXPORT = (
    "opentelemetry.exporter",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.metrics._internal.export",
)
_FORBIDDEN = 403


class SDKWarnings(logging.Handler):
    """Handler of the logger `opentelemetry`: one warning per kind, then silence for a while.

    All that follows from a receiver that does not answer is of one kind. No tracebacks: they show
    the insides of the SDK.

    Args:
        clock: () -> seconds.
        advised: loggers of exporters to Google, whose refusals get a line of advice.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, advised: Collection[str] = ()
    ) -> None:
        super().__init__(logging.WARNING)
        self._advised = advised
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Warn, or count."""
        if record.name in self._advised and _FORBIDDEN in (record.args or ()):
            return
        kind = "export" if record.name.startswith(_EXPORT) else f"{record.name} {record.msg}"
        with self._lock:
            now = self._clock()
            if now < self._said.get(kind, now):
                self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
                return
            self._said[kind] = now + SILENCE
            unsaid = self._unsaid.pop(kind, 0)
        extra = {"sdk_logger": record.name, "not_repeated": unsaid}
        logger.warning("telemetry: %s", _text(record), extra=extra)


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage().strip().partition("\n")[0]
    error = record.exc_info[1] if record.exc_info else None
    return text if error is None else f"{text} ({type(error).__name__}: {error})"


@contextlib.contextmanager
def sdk_warnings(advised: Collection[str] = ()) -> Iterator[SDKWarnings]:
    """Take the SDK's own log lines over while the block runs.

    Args:
        advised: as for `SDKWarnings`.
    """
    sdk = logging.getLogger("opentelemetry")
    handler, before = SDKWarnings(advised=advised), sdk.propagate
    sdk.addHandler(handler)
    sdk.propagate = False
    try:
        yield handler
    finally:
        sdk.propagate = before
        sdk.removeHandler(handler)
