"""Fields of a line: extra, the request's, the processors'."""

from __future__ import annotations

import logging
from typing import Any

from msp_core.request import RequestContext, current_request
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook")


def test_libraries_second_messages_are_left_out() -> None:
    """What a library adds for its own coloured output is no field."""
    with recorded() as record:
        logger.info("x", extra={"color_message": "\x1b[31mx", "kept": 1})
        line = record.line()

    assert line["Attributes"] == {"kept": 1}


def test_names_that_are_no_fields() -> None:
    """What a library keeps on a record for itself is no field; a name may be a number."""
    with recorded() as record:
        logger.info("x", extra={"_private": 1, "kept_": 2, 3: 4, "": 5})  # type: ignore[dict-item]
        line = record.line()

    assert line["Attributes"] == {"kept_": 2, "3": 4, "": 5}


def test_request_without_trace() -> None:
    """A request that nobody traces gives its id only."""
    with recorded() as record:
        token = current_request.set(RequestContext(request_id="r-1"))
        logger.info("x")
        current_request.reset(token)
        line = record.line()

    assert line["Attributes"] == {"request_id": "r-1"}
    assert "TraceId" not in line


def test_extra_wins_over_request() -> None:
    """What the caller says about a line is not replaced by what is known of the request."""
    with recorded() as record:
        token = current_request.set(RequestContext(request_id="r-1"))
        logger.info("x", extra={"request_id": "other"})
        current_request.reset(token)
        line = record.line()

    assert line["Attributes"] == {"request_id": "other"}


def test_processors_run_in_order() -> None:
    """A later processor sees and may replace what an earlier one added."""

    def first(record: logging.LogRecord, fields: dict[str, Any]) -> None:
        fields.update(a=record.name, trace_id="t1")

    def second(record: logging.LogRecord, fields: dict[str, Any]) -> None:
        fields.update(b=fields["a"], trace_id="t2", span_id="s2")

    with recorded() as record:
        record.logs.add_processor(first)
        record.logs.add_processor(second)
        logger.info("x")
        line = record.line()

    assert line["Attributes"] == {"a": "guestbook", "b": "guestbook"}
    assert (line["TraceId"], line["SpanId"]) == ("t2", "s2")


def test_failing_processor_is_reported_once() -> None:
    """A plugin's broken processor costs its fields, never a line, and is named once."""

    def broken(record: logging.LogRecord, fields: dict[str, Any]) -> None:
        raise RuntimeError("no span")

    with recorded() as record:
        record.logs.add_processor(broken)
        logger.info("one", extra={"kept": 1})
        logger.info("two")
        lines = record.lines()

    report, one, two = lines
    assert "broken" in report["Attributes"]["processor"]
    assert report["Stacktrace"].endswith("RuntimeError: no span")
    assert (one["Body"], one["Attributes"]) == ("one", {"kept": 1})
    assert two["Body"] == "two"
