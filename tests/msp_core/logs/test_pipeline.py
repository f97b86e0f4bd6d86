"""Every record becomes a line, whatever is wrong with it."""

from __future__ import annotations

import logging

import pytest

from tests.msp_core.log_lines import Recorded, recorded

logger = logging.getLogger("guestbook")


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no")


def last_line(record: Recorded) -> str:
    """Return the body of the last line."""
    body: str = record.lines()[-1]["Body"]
    return body


def test_arguments_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a logging call keeps the message, the arguments and the fields."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's raise
    with recorded() as record:
        logger.info("%d entries", "many", extra={"kept": 1})
        line = record.line()

    assert line["Body"] == "%d entries"
    assert line["Attributes"]["log_arguments"] == ["many"]
    assert line["Attributes"]["kept"] == 1
    assert "TypeError" in line["Attributes"]["log_error"]
    assert line["Caller"].startswith("logs/test_pipeline.py:")


def test_message_that_cannot_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that raises when it is printed leaves its type behind."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's raise
    with recorded() as record:
        logger.info(Broken())
        logger.info("got %s", Broken())
        first, second = record.lines()

    assert first["Body"] == "Broken"
    assert second["Body"] == "got %s"
    assert second["Attributes"]["log_arguments"] == ["<unprintable Broken>"]


def test_filters_drop_and_change() -> None:
    """The handler's filters work as on any other handler."""

    def keep(record: logging.LogRecord) -> bool:
        return record.getMessage() != "drop"

    with recorded() as record:
        (pipeline,) = (h for h in logging.getLogger().handlers if type(h).__name__ == "Pipeline")
        pipeline.addFilter(keep)
        logger.info("drop")
        logger.info("keep")

        assert [line["Body"] for line in record.lines()] == ["keep"]


def test_filter_that_gives_another_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Since Python 3.12 a filter may replace the record."""
    other = logging.makeLogRecord({"msg": "other", "levelno": logging.INFO})
    with recorded() as record:
        (pipeline,) = (h for h in logging.getLogger().handlers if type(h).__name__ == "Pipeline")
        monkeypatch.setattr(pipeline, "filter", lambda record: other)
        logger.info("x")

        assert last_line(record) == "other"


def test_lost_lines_are_reported() -> None:
    """Lines that could not be written are counted in the first one that can."""
    with recorded() as record:
        record.logs._writer._lose(7)
        logger.info("works again")
        again, report = record.lines()
        record.logs._writer._lose(2)
        logger.info("works once more")
        second = record.lines()[-1]

    assert again["Body"] == "works again"
    assert report["Body"] == "log lines were lost"
    assert (report["SeverityText"], report["InstrumentationScope"]) == ("ERROR", "msp.logs")
    assert report["Attributes"]["lines"] == 7
    assert second["Attributes"]["lines"] == 2
