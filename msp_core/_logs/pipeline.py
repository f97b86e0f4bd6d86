"""Pipeline: what happens to a record where it is logged: format, scrub, hand to the writer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from msp_core._logs.writer import Writer


class Pipeline(logging.Handler):
    """Turns records into lines in the thread that logs, and lets the writer write them.

    Fields must be read there, before they change; writing must not happen there, because an
    event loop would stand still. There is no lock, unlike in other handlers: formatting shares
    nothing, and a thread that hangs in somebody's `__repr__` must not silence the others.
    """

    def __init__(
        self, formatter: logging.Formatter, scrub: Callable[[str], str], writer: Writer
    ) -> None:
        super().__init__()
        self._formatter = formatter
        self._scrub = scrub
        self._writer = writer

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit the record unless a filter drops it."""
        kept: Any = self.filter(record)
        if kept:
            # Since Python 3.12 a filter may give another record.
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, whatever its arguments and fields do."""
        self._writer.write(self.line_of(record))

    def line_of(self, record: logging.LogRecord) -> bytes:
        """Return the record as what is written, its newline too; never raises."""
        try:
            line = self._formatter.format(record)
        except Exception as error:  # noqa: BLE001 - arguments that do not fit, a broken __str__
            line = self._formatter.format(_strip(record, error))
        return self._scrub(line).encode(errors="backslashreplace") + b"\n"

    def line_of_loss(self, lines: int) -> bytes:
        """Return the line that says how many others were not written."""
        named = {"name": "msp.logs", "levelno": logging.ERROR, "levelname": "ERROR"}
        message = {"msg": "log lines were lost", "lines": lines}
        return self.line_of(logging.makeLogRecord({**named, **message}))


def _strip(record: logging.LogRecord, error: Exception) -> logging.LogRecord:
    """Return a record that says as much as can be said of one that cannot be formatted."""
    return logging.makeLogRecord(
        {
            **record.__dict__,
            "msg": record.msg if isinstance(record.msg, str) else type(record.msg).__qualname__,
            "args": None,
            "exc_info": None,
            "log_arguments": record.args,
            "log_error": f"message and arguments do not fit: {type(error).__qualname__}",
        }
    )
