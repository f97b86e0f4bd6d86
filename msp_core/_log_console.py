"""ConsoleFormat: log lines for people."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, Final

from msp_core._log_fields import Collect
from msp_core._log_values import encode

COLOURS: Final = (
    (logging.ERROR, "\x1b[31m"),
    (logging.WARNING, "\x1b[33m"),
    (logging.INFO, "\x1b[32m"),
)
DIM: Final = "\x1b[2m"
PLAIN: Final = "\x1b[0m"
NAMES: Final = {"WARNING": "WARN", "CRITICAL": "CRIT"}

# A terminal obeys control characters; a log line must not command it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BARE = re.compile(r"[\w.:/@%+\-]+")


class ConsoleFormat(logging.Formatter):
    """The format `console`: time, level, logger, message, key=value, then the traceback."""

    def __init__(self, collect: Collect, *, colour: bool) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._collect = collect
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, and further ones for what has lines of its own."""
        fields = self._collect(record)
        if isinstance(record.msg, dict):
            fields.update(record.msg)
        # Indented, so that no message can pass for a line of its own.
        message = "" if isinstance(record.msg, dict) else record.getMessage()
        parts = [
            self._dim(f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}"),
            self._level(record),
            self._dim(record.name),
            _tame(message).replace("\n", "\n    "),
            *(
                self._dim(f"{_tame(str(key))}=") + _value(value)
                for key, value in fields.items()
                if not _is_table(value)
            ),
        ]
        return "\n".join([" ".join(filter(None, parts)), *self._stacks(record)])

    def _stacks(self, record: logging.LogRecord) -> list[str]:
        stacks = []
        if record.exc_info and record.exc_info[0] is not None:
            stacks.append(_tame(self.formatException(record.exc_info)))
        if record.stack_info:
            stacks.append(_tame(self.formatStack(record.stack_info)))
        return stacks

    def _level(self, record: logging.LogRecord) -> str:
        name = f"{NAMES.get(record.levelname, record.levelname):<5}"
        if self._colour:
            for least, colour in COLOURS:
                if record.levelno >= least:
                    return f"{colour}{name}{PLAIN}"
        return name

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self._colour else text


def _is_table(value: Any) -> bool:  # noqa: ANN401 - any value is the point
    """Return whether it is a list of records, for machines; the message says it to people."""
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)


def _value(value: Any) -> str:  # noqa: ANN401 - any value is the point
    value = json.loads(encode(value))
    if isinstance(value, str) and _BARE.fullmatch(value):
        return value
    if isinstance(value, str) and "\n" in value:  # a stack, most likely: shown as it is
        return "\n    " + _tame(value).replace("\n", "\n    ")
    return _tame(json.dumps(value, ensure_ascii=False))


def _tame(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
