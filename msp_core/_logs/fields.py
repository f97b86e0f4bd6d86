"""Fields: what a log line carries beside its message."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS

from msp_core._text.for_people import CONSOLE
from msp_core.integration import LogProcessor
from msp_core.request import RequestContext, current_request

RESERVED: Final = frozenset(
    {
        *RESERVED_ATTRS,
        "taskName",  # an attribute of records since Python 3.12
        "color_message",  # uvicorn's second copy of the message, with colours in it
        CONSOLE,
    }
)

logger = logging.getLogger("msp.logs")

Collect = Callable[[logging.LogRecord], dict[str, Any]]
"""(record) -> the record's fields; must be called where the line is logged."""


class Fields:
    """Collects the fields of a record: `extra`, then the request's, then the processors'.

    `trace_id`, `span_id` and `trace_sampled` become the trace of the line, whoever gives them.
    """

    def __init__(self) -> None:
        self._processors: tuple[LogProcessor, ...] = ()
        self._reported: set[int] = set()

    def add_processor(self, processor: LogProcessor) -> None:
        """Call the processor for each record from now on, after those added before."""
        self._processors = (*self._processors, processor)

    def __call__(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return a new dict of the record's fields; never raises."""
        # What python-json-logger's `merge_record_extra` does, in half its time.
        fields = {
            key: value
            for key, value in record.__dict__.items()
            if key not in RESERVED and not str(key).startswith("_")
        }
        request = current_request.get()
        if request is not None:
            _add_request(fields, request)
        for processor in self._processors:
            try:
                processor(record, fields)
            except Exception as error:  # noqa: BLE001 - a plugin's fault must not cost the line
                self._report(processor, error)
        return fields

    def _report(self, processor: LogProcessor, error: Exception) -> None:
        if id(processor) in self._reported:
            return
        # First, because the report is a log line too and comes through here.
        self._reported.add(id(processor))
        name = getattr(processor, "__qualname__", type(processor).__qualname__)
        logger.error(
            "log processor fails: its fields are missing; said only once",
            exc_info=error,
            extra={"processor": name},
        )


def _add_request(fields: dict[str, Any], request: RequestContext) -> None:
    fields.setdefault("request_id", request.request_id)
    if request.trace_id is not None:
        fields.setdefault("trace_id", request.trace_id)
        fields.setdefault("span_id", request.span_id)
        fields.setdefault("trace_sampled", request.sampled)
