"""The format `json`: OpenTelemetry's log data model."""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid

import pytest

from msp_core._logs.config import LogConfig
from msp_core.request import RequestContext, current_request
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook.entries")


def test_whole_line() -> None:
    """A line has the names, order and types that readers of a Go service's lines rely on."""
    before = time.time_ns()
    with recorded() as record:
        logger.info("wrote %d entries", 3, extra={"took": dt.timedelta(milliseconds=250)})
        line = record.line()

    assert list(line) == [
        "Timestamp",
        "SeverityText",
        "SeverityNumber",
        "InstrumentationScope",
        "Body",
        "Caller",
        "Function",
        "Resource",
        "Attributes",
    ]
    assert before - 1_000 <= line["Timestamp"] <= time.time_ns()
    assert (line["SeverityText"], line["SeverityNumber"]) == ("INFO", 9)
    assert line["InstrumentationScope"] == "guestbook.entries"
    assert line["Body"] == "wrote 3 entries"
    assert line["Caller"].startswith("logs/test_otel.py:")
    assert line["Function"] == "test_whole_line"
    assert line["Resource"] == {
        "service.name": "guestbook",
        "service.version": "1.2.3",
        "service.instance.id": "instance-1",
        "deployment.environment.name": "prod",
    }
    assert line["Attributes"] == {"took": 0.25}


@pytest.mark.parametrize(
    ("level", "text", "number"),
    [
        (5, "TRACE", 1),
        (logging.DEBUG, "DEBUG", 5),
        (logging.INFO, "INFO", 9),
        (25, "INFO", 9),
        (logging.WARNING, "WARN", 13),
        (logging.ERROR, "ERROR", 17),
        (logging.CRITICAL, "FATAL", 21),
    ],
)
def test_severity(level: int, text: str, number: int) -> None:
    """Python's levels become OpenTelemetry's; one in between is no worse than it claims."""
    with recorded() as record:
        logger.setLevel(1)
        logger.log(level, "x")
        line = record.line()
    logger.setLevel(logging.NOTSET)

    assert (line["SeverityText"], line["SeverityNumber"]) == (text, number)


def test_traceback() -> None:
    """An exception's traceback is a field of its own, so that the message stays short."""
    with recorded() as record:
        try:
            uuid.UUID("nonsense")
        except ValueError:
            logger.exception("cannot read", stack_info=True)
        line = record.line()

    assert line["Body"] == "cannot read"
    assert line["Stacktrace"].startswith("Traceback (most recent call last):\n")
    assert line["Attributes"]["stack_info"].startswith("Stack (most recent call last):\n")


def test_no_exception() -> None:
    """`logger.exception` outside of an `except` adds no empty traceback."""
    with recorded() as record:
        logger.exception("nothing was raised")  # noqa: LOG004 - the mistake that is meant
        line = record.line()

    assert "Stacktrace" not in line


def test_dict_message() -> None:
    """A dict given as message is fields without a message."""
    with recorded() as record:
        logger.info({"a": 1})
        line = record.line()

    assert line["Body"] == ""
    assert line["Attributes"] == {"a": 1}


def test_trace() -> None:
    """A line written while a request is served carries its trace and id."""
    context = RequestContext(request_id="r-1", trace_id="ab" * 16, span_id="cd" * 8, sampled=True)
    with recorded() as record:
        token = current_request.set(context)
        logger.info("x")
        current_request.reset(token)
        line = record.line()

    assert line["TraceId"] == "ab" * 16
    assert line["SpanId"] == "cd" * 8
    assert line["Attributes"] == {"request_id": "r-1"}


def test_value_that_looks_like_the_resource() -> None:
    """The resource stands where it belongs, whatever is logged before it and after it."""
    nasty = '"Resource":0'
    with recorded() as record:
        logging.getLogger(nasty).warning("%s", nasty, extra={"Resource": 0, "text": nasty})
        line = record.line()

    assert line["Body"] == line["InstrumentationScope"] == nasty
    assert line["Resource"]["service.name"] == "guestbook"
    assert line["Attributes"] == {"Resource": 0, "text": nasty}


def test_line_is_valid_whatever_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Line ends, quotes and lone surrogates in any part do not break the line."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's cannot report surrogates
    nasty = 'a"b\\c\nd\re\u2028f\x85g\x00h\ud800'
    with recorded(LogConfig(format="json")) as record:
        logging.getLogger(nasty).info(nasty, extra={nasty: nasty})
        line = record.line()

    assert line["Body"] == nasty
    assert line["InstrumentationScope"] == nasty
    assert line["Attributes"] == {nasty: nasty}
