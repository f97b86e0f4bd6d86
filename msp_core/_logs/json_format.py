"""JSONFormat: what the two JSON formats have in common, on python-json-logger."""

from __future__ import annotations

import abc
import logging
from typing import Any

import attrs
from pythonjsonlogger.core import BaseJsonFormatter

from msp_core._logs.fields import Collect
from msp_core._logs.values import encode
from msp_core._text.failure import ExcInfo, visible_part


@attrs.frozen(kw_only=True)
class Trace:
    """The trace a line belongs to, taken out of its fields.

    Attributes:
        trace_id: 32 hex digits, or None.
        span_id: 16 hex digits, or None.
        sampled: whether the trace is kept; None when unknown.
    """

    trace_id: Any
    span_id: Any
    sampled: Any

    @classmethod
    def taken_from(cls, fields: dict[str, Any]) -> Trace:
        """Remove the trace's three fields and return them."""
        return cls(
            trace_id=fields.pop("trace_id", None),
            span_id=fields.pop("span_id", None),
            sampled=fields.pop("trace_sampled", None),
        )


class JSONFormat(BaseJsonFormatter, abc.ABC):
    """Formats a record as one line of JSON; a subclass says in `fill` under which names."""

    def __init__(self, collect: Collect) -> None:
        super().__init__()
        self._collect = collect

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
        return encode(log_data)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the name `logging` calls
        """Return the traceback; nothing for `logger.exception` outside of an `except`."""
        visible = visible_part(ei)
        return "" if visible[0] is None else logging.Formatter.formatException(self, visible)


def caller(record: logging.LogRecord) -> str:
    """Return `directory/file.py:line`, the form Go's logger gives a caller."""
    return f"{'/'.join(record.pathname.rsplit('/', 2)[-2:])}:{record.lineno}"


def epoch_microseconds(record: logging.LogRecord) -> int:
    """Return when the record was made; a float holds no finer time since 1970."""
    return int(record.created * 1_000_000)
