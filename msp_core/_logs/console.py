"""ConsoleFormat: log lines for people."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, Final

from msp_core._logs.fields import Collect
from msp_core._logs.tracebacks import fold_traceback, whole_traceback
from msp_core._logs.values import encode
from msp_core._text.failure import visible_part
from msp_core._text.for_people import CONSOLE, ForPeople

COLOURS: Final = (
    (logging.ERROR, "\x1b[31m"),
    (logging.WARNING, "\x1b[33m"),
    (logging.INFO, "\x1b[32m"),
)
DIM: Final = "\x1b[2m"
PLAIN: Final = "\x1b[0m"
NAMES: Final = {"WARNING": "WARN", "CRITICAL": "CRIT"}

# Characters of an id: enough to tell the requests on one screen apart, and to search by.
SHORT: Final = 8

# A terminal obeys control characters, and some readers end a line at the last two or turn its order
# round at the others; a log line must not command them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_BARE = re.compile(r"[\w.:/@%+\-]+")
_IDS = ("trace_id", "request_id")
_OF_A_TRACE = frozenset({*_IDS, "span_id", "trace_sampled"})


class ConsoleFormat(logging.Formatter):
    """The format `console`: time, level, logger, message, key=value, then the traceback.

    Args:
        collect: gives a record's fields.
        colour: whether lines are coloured.
        fold: whether tracebacks show the frames of libraries as one line.
    """

    def __init__(self, collect: Collect, *, colour: bool, fold: bool) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._collect = collect
        self._colour = colour
        self._fold = fold

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, and further ones for what has lines of its own."""
        fields = self._collect(record)
        name = _short_id(fields)
        shown = {key: value for key, value in fields.items() if key not in _OF_A_TRACE}
        parts = [
            self._dim(f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}"),
            self._level(record),
            *self._text(record, shown),
            *(
                self._dim(f"{_tame(str(key))}=") + _value(value)
                for key, value in shown.items()
                if not _is_table(value)
            ),
            self._dim(_tame(name)),
        ]
        return "\n".join([" ".join(filter(None, parts)), *self._stacks(record)])

    def _text(self, record: logging.LogRecord, fields: dict[str, Any]) -> list[str]:
        """Return what the line says; leave in the fields what it does not."""
        shown = getattr(record, CONSOLE, None)
        if isinstance(shown, ForPeople):
            for key in fields.keys() & record.__dict__.keys() - shown.fields:
                del fields[key]
            return [_indent(shown.text)]
        if isinstance(record.msg, dict):
            fields.update(record.msg)
            return [self._dim(record.name)]
        return [self._dim(record.name), _indent(record.getMessage())]

    def _stacks(self, record: logging.LogRecord) -> list[str]:
        stacks = []
        visible = visible_part(record.exc_info) if record.exc_info else (None, None, None)
        if visible[0] is not None:
            printed = fold_traceback if self._fold else whole_traceback
            stacks.append(printed(*visible))
        if record.stack_info:
            stacks.append(self.formatStack(record.stack_info))
        # The first line of a stack, too: an exception's text has lines of its own, and among its
        # frames only the margin tells one from a log line.
        return [f"    {_indent(stack)}" for stack in stacks]

    def _level(self, record: logging.LogRecord) -> str:
        name = f"{NAMES.get(record.levelname, record.levelname):<5}"
        if self._colour:
            for least, colour in COLOURS:
                if record.levelno >= least:
                    return f"{colour}{name}{PLAIN}"
        return name

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if text and self._colour else text


def _short_id(fields: dict[str, Any]) -> str:
    """Return how to find the lines of the same request: by its trace, without one by its own id."""
    for name in _IDS:
        if fields.get(name) is not None:
            return f"{name.removesuffix('_id')}={str(fields[name])[:SHORT]}"
    return ""


def _is_table(value: Any) -> bool:  # noqa: ANN401 - any value is the point
    """Return whether it is a list of records, for machines; the message says it to people."""
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)


def _value(value: Any) -> str:  # noqa: ANN401 - any value is the point
    value = json.loads(encode(value))
    if isinstance(value, str) and _BARE.fullmatch(value):
        return value
    if isinstance(value, str) and "\n" in value:  # a stack, most likely: shown as it is
        return f"\n    {_indent(value)}"
    return _tame(json.dumps(value, ensure_ascii=False))


def _indent(text: str) -> str:
    """Return the text with its further lines indented, so that none passes for a log line."""
    return _tame(text).replace("\n", "\n    ")


def _tame(text: str) -> str:
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)
