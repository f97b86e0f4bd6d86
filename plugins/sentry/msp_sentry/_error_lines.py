"""ErrorLines: makes events of log records that carry an exception."""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

import sentry_sdk
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.utils import capture_internal_exceptions, event_from_exception

from msp_sentry._outgoing import was_reported

# What every record has: anything else is a field that somebody gave.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",  # uvicorn's second copy of the message
    "message",
    "taskName",  # since Python 3.12
}

# Loggers of what ends the process with a code other than 0.
_FATAL: Final = frozenset({"msp.start", "msp.stop", "msp.job"})

# Loggers of what nobody caught.
_UNHANDLED: Final = _FATAL | {"msp.uncaught", "msp.routine", "asyncio"}


class ErrorLines(logging.Handler):
    """Handler of the root logger: a record of level error and an exception becomes an event.

    There is no lock, unlike in other handlers: making an event shares nothing. A record that is
    logged while one is made, by somebody's `__repr__`, is not reported.

    Args:
        client: whose options say how exceptions are shown.
    """

    def __init__(self, client: sentry_sdk.Client) -> None:
        super().__init__(logging.ERROR)
        self._client = client
        self._named = EventScrubber()
        self._busy = threading.local()

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit the record unless a filter drops it."""
        kept: Any = self.filter(record)
        if kept:
            # Since Python 3.12 a filter may give another record.
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Report the record's exception unless it was reported already; never raises."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None or was_reported(error) or getattr(self._busy, "here", False):
            return
        self._busy.here = True
        try:
            with capture_internal_exceptions():
                self._report(record, error)
        finally:
            self._busy.here = False

    def _report(self, record: logging.LogRecord, error: BaseException) -> None:
        handled = record.name not in _UNHANDLED
        event, hint = event_from_exception(
            error,
            client_options=self._client.options,
            mechanism={"type": "logging", "handled": handled},
        )
        fatal = record.name in _FATAL or record.levelno >= logging.CRITICAL
        event["level"] = "fatal" if fatal else "error"
        event["logger"] = record.name
        event["logentry"] = {"message": str(record.msg), "formatted": record.getMessage()}
        event["contexts"] = {"log": self._fields(record)}
        sentry_sdk.capture_event(event, hint={**hint, "log_record": record})

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the record's fields, with what is named like a password taken out."""
        fields = {key: value for key, value in vars(record).items() if key not in _OWN}
        self._named.scrub_dict(fields)
        return fields
