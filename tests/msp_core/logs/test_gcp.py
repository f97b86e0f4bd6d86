"""The format `json_gcp`: names that Google Cloud knows."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from msp_core._logs.config import LogConfig
from msp_core._logs.gcp import timestamp
from msp_core.request import RequestContext, current_request
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook.entries")
GCP = LogConfig(format="json_gcp")
PREFIX = "logging.googleapis.com/"


def line_in(context: RequestContext, *, project: str | None) -> dict[str, Any]:
    """Return the line that is logged while the request is served."""
    with recorded(GCP, project=project) as record:
        token = current_request.set(context)
        logger.info("x")
        current_request.reset(token)
        return record.line()


def test_whole_line() -> None:
    """The collector finds severity, message, time, place and labels under its own names."""
    with recorded(GCP) as record:
        logger.info("wrote %d entries", 3, extra={"took": 0.25})
        line = record.line()

    location = line[f"{PREFIX}sourceLocation"]
    assert line["severity"] == "INFO"
    assert line["message"] == "wrote 3 entries"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
    assert line["InstrumentationScope"] == "guestbook.entries"
    assert location["file"].endswith("/test_gcp.py")
    assert location["line"].isdigit()
    assert location["function"] == "test_whole_line"
    assert line[f"{PREFIX}labels"] == {
        "service": "guestbook",
        "version": "1.2.3",
        "instance_id": "instance-1",
        "environment": "prod",
    }
    assert line["Attributes"] == {"took": 0.25}
    assert "serviceContext" not in line


def test_timestamp() -> None:
    """The time is RFC 3339 in UTC, with all six digits."""
    assert timestamp(1_700_000_000_000_042) == "2023-11-14T22:13:20.000042Z"


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (logging.DEBUG, "DEBUG"),
        (logging.INFO, "INFO"),
        (logging.WARNING, "WARNING"),
        (logging.ERROR, "ERROR"),
        (logging.CRITICAL, "CRITICAL"),
    ],
)
def test_severity(level: int, name: str) -> None:
    """Levels have Google's names."""
    with recorded(LogConfig(level="debug", format="json_gcp")) as record:
        logger.log(level, "x")
        line = record.line()

    assert line["severity"] == name


def test_trace() -> None:
    """Lines of one request are shown together with its trace."""
    context = RequestContext(request_id="r", trace_id="ab" * 16, span_id="cd" * 8, sampled=False)
    line = line_in(context, project="acme-prod")

    assert line[f"{PREFIX}trace"] == f"projects/acme-prod/traces/{'ab' * 16}"
    assert line[f"{PREFIX}spanId"] == "cd" * 8
    assert line[f"{PREFIX}trace_sampled"] is False


def test_trace_of_unknown_project() -> None:
    """Without a project the trace is named alone; what is unknown is left out."""
    line = line_in(RequestContext(request_id="r", trace_id="ab" * 16), project=None)

    assert line[f"{PREFIX}trace"] == "ab" * 16
    assert f"{PREFIX}spanId" not in line
    assert f"{PREFIX}trace_sampled" not in line


def test_exception_is_grouped_by_traceback() -> None:
    """Error Reporting gets the traceback in Python's own form, and the service it belongs to."""
    with recorded(GCP) as record:
        try:
            raise RuntimeError("broken")  # noqa: TRY301 - to have a traceback
        except RuntimeError:
            logger.exception("cannot write")
        line = record.line()

    assert line["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert line["stack_trace"].endswith("RuntimeError: broken")
    assert line["serviceContext"] == {"service": "guestbook", "version": "1.2.3"}
    assert "@type" not in line


def test_error_is_grouped_by_place() -> None:
    """An error without an exception is reported by its place in the source."""
    with recorded(GCP) as record:
        logger.error("cannot write")
        line = record.line()

    assert line["@type"].endswith("ReportedErrorEvent")
    assert line["context"]["reportLocation"]["functionName"] == "test_error_is_grouped_by_place"
    assert line["serviceContext"]["service"] == "guestbook"


def test_warning_is_not_reported_as_error() -> None:
    """A traceback below the level of an error wakes nobody up."""
    with recorded(GCP) as record:
        try:
            raise RuntimeError("broken")  # noqa: TRY301 - to have a traceback
        except RuntimeError:
            logger.warning("trying again", exc_info=True)
        line = record.line()

    assert line["Stacktrace"].endswith("RuntimeError: broken")
    assert "stack_trace" not in line
    assert "serviceContext" not in line
