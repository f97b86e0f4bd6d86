"""JSONFormat: what the two JSON formats have in common, on python-json-logger."""

from __future__ import annotations

import abc
import functools
import logging
from collections.abc import Mapping
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from msp_core._logs.fields import Collect
from msp_core._logs.values import encode, find_encode
from msp_core._text.failure import ExcInfo, visible_part


class JSONFormat(JsonFormatter, abc.ABC):
    """Formats a record as one line of JSON; a subclass says in `fill` under which names.

    Args:
        collect: returns the fields of a record.
        origin: what is the same in every line, encoded once; it stands where `fill` puts it.
        name: of the origin in the line.
    """

    def __init__(self, collect: Collect, origin: Mapping[str, str], name: str) -> None:
        super().__init__(json_serializer=find_encode())
        self._collect = collect
        self._name = name
        # No value before it in a line looks like it: quotes inside of a text are escaped.
        self._place = f'"{name}":0'
        self._origin = f'"{name}":{encode(origin)}'

    def put_origin(self, line: dict[str, Any]) -> None:
        """Let the origin stand here in the line."""
        line[self._name] = 0

    @abc.abstractmethod
    def fill(
        self,
        line: dict[str, Any],
        record: logging.LogRecord,
        fields: dict[str, Any],
        traceback: str,
    ) -> None:
        """Put the record into the line's dict.

        Args:
            line: to be filled; the order of its keys is the order in the line.
            record: its `message` is set.
            fields: of the record, the trace's among them; may be changed.
            traceback: of the record's exception as Python prints it; empty without one.
        """

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        """Fill the line; called by python-json-logger."""
        fields = self._collect(record)
        traceback = message_dict.pop("exc_info", "")
        fields.update(message_dict)
        self.fill(log_data, record, fields, traceback)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the line; called by python-json-logger."""
        text: str = self.json_serializer(log_data)
        return text.replace(self._place, self._origin, 1)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the name `logging` calls
        """Return the traceback; nothing for `logger.exception` outside of an `except`."""
        visible = visible_part(ei)
        return "" if visible[0] is None else logging.Formatter.formatException(self, visible)


_TRACE: Final = frozenset({"trace_id", "span_id", "trace_sampled"})

# Places in the source that are kept, so that each is formatted once.
PLACES: Final = 1024


@functools.lru_cache(maxsize=PLACES)
def caller(pathname: str, lineno: int) -> str:
    """Return `directory/file.py:line`, the form Go's logger gives a caller."""
    return f"{'/'.join(pathname.rsplit('/', 2)[-2:])}:{lineno}"


def take_trace(fields: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Remove the trace a line belongs to from its fields, and return it.

    Returns:
        trace_id: 32 hex digits, or None.
        span_id: 16 hex digits, or None.
        sampled: whether the trace is kept; None when unknown.
    """
    if _TRACE.isdisjoint(fields):
        return None, None, None
    return (
        fields.pop("trace_id", None),
        fields.pop("span_id", None),
        fields.pop("trace_sampled", None),
    )


def epoch_microseconds(record: logging.LogRecord) -> int:
    """Return when the record was made; a float holds no finer time since 1970."""
    return int(record.created * 1_000_000)
