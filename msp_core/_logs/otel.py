"""OTelFormat: JSON lines shaped like OpenTelemetry's log data model, as Go services write them."""

from __future__ import annotations

import functools
import logging
from typing import Any, Final

from msp_core._logs.fields import Collect
from msp_core._logs.json_format import JSONFormat, caller, epoch_microseconds, take_trace
from msp_core.contract import Origin

SEVERITIES: Final = (
    (logging.CRITICAL, "FATAL", 21),
    (logging.ERROR, "ERROR", 17),
    (logging.WARNING, "WARN", 13),
    (logging.INFO, "INFO", 9),
    (logging.DEBUG, "DEBUG", 5),
)


class OTelFormat(JSONFormat):
    """The format `json`."""

    def __init__(self, origin: Origin, collect: Collect) -> None:
        super().__init__(collect, origin.attributes(), "Resource")

    def fill(
        self,
        line: dict[str, Any],
        record: logging.LogRecord,
        fields: dict[str, Any],
        traceback: str,
    ) -> None:
        """Put the record into the line's dict under OpenTelemetry's names."""
        trace_id, span_id, _ = take_trace(fields)
        line["Timestamp"] = epoch_microseconds(record) * 1000
        line["SeverityText"], line["SeverityNumber"] = severity(record.levelno)
        line["InstrumentationScope"] = record.name
        line["Body"] = record.message
        line["Caller"] = caller(record.pathname, record.lineno)
        line["Function"] = record.funcName
        if traceback:
            line["Stacktrace"] = traceback
        self.put_origin(line)
        if trace_id is not None:
            line["TraceId"] = trace_id
        if span_id is not None:
            line["SpanId"] = span_id
        line["Attributes"] = fields


@functools.lru_cache
def severity(level: int) -> tuple[str, int]:
    """Return OpenTelemetry's text and number for a level; levels in between count downwards."""
    for least, text, number in SEVERITIES:
        if level >= least:
            return text, number
    return "TRACE", 1
