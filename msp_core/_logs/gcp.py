"""GCPFormat: JSON lines with the names Google Cloud's collector and Error Reporting know."""

from __future__ import annotations

import functools
import logging
import time
from typing import Any, Final

from msp_core._logs.fields import Collect
from msp_core._logs.json_format import JSONFormat, epoch_microseconds, take_trace
from msp_core.contract import Origin

SEVERITIES: Final = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
)
PREFIX: Final = "logging.googleapis.com/"
REPORTED: Final = (
    "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
)


class GCPFormat(JSONFormat):
    """The format `json_gcp`.

    Args:
        origin: who writes the lines.
        project: the Google Cloud project that holds its traces; None when unknown.
        collect: returns the fields of a record.
    """

    def __init__(self, origin: Origin, project: str | None, collect: Collect) -> None:
        labels = {
            "service": origin.name,
            "version": origin.version,
            "instance_id": origin.instance_id,
            "environment": origin.environment_id,
        }
        super().__init__(collect, labels, f"{PREFIX}labels")
        self._project = project
        self._service = {"service": origin.name, "version": origin.version}

    def fill(
        self,
        line: dict[str, Any],
        record: logging.LogRecord,
        fields: dict[str, Any],
        traceback: str,
    ) -> None:
        """Put the record into the line's dict under Google's names."""
        trace = take_trace(fields)
        line["severity"] = severity(record.levelno)
        line["message"] = record.message
        line["time"] = timestamp(epoch_microseconds(record))
        line["InstrumentationScope"] = record.name
        line[f"{PREFIX}sourceLocation"] = {
            "file": record.pathname,
            "line": str(record.lineno),
            "function": record.funcName,
        }
        self.put_origin(line)
        self._add_trace(line, trace)
        if record.levelno >= logging.ERROR:
            self._add_error(line, record, traceback)
        elif traceback:
            # Under a name of its own: Error Reporting would count it as an error.
            line["Stacktrace"] = traceback
        line["Attributes"] = fields

    def _add_trace(self, line: dict[str, Any], trace: tuple[Any, Any, Any]) -> None:
        trace_id, span_id, sampled = trace
        if trace_id is None:
            return
        project = self._project
        line[f"{PREFIX}trace"] = f"projects/{project}/traces/{trace_id}" if project else trace_id
        if span_id is not None:
            line[f"{PREFIX}spanId"] = span_id
        if sampled is not None:
            line[f"{PREFIX}trace_sampled"] = sampled

    def _add_error(self, line: dict[str, Any], record: logging.LogRecord, traceback: str) -> None:
        """Add what Error Reporting groups by: the traceback, without one the place."""
        line["serviceContext"] = self._service
        if traceback:
            line["stack_trace"] = traceback
            return
        line["@type"] = REPORTED
        line["context"] = {
            "reportLocation": {
                "filePath": record.pathname,
                "lineNumber": record.lineno,
                "functionName": record.funcName,
            }
        }


@functools.lru_cache
def severity(level: int) -> str:
    """Return Google's name for a level; levels in between count downwards."""
    for least, name in SEVERITIES:
        if level >= least:
            return name
    return "DEBUG"


def timestamp(microseconds: int) -> str:
    """Return the time since 1970 as RFC 3339 in UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_to_the_second(seconds)}.{rest:06d}Z"


@functools.lru_cache(maxsize=2)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
