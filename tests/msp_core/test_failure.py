"""Failures: one line each, whose traceback shows what the text does not say already."""

from __future__ import annotations

import logging

import pytest

from msp_core import MSPError, RoutineError, StopTimeoutError
from msp_core._logs.config import LogConfig
from msp_core._text.failure import log_failure
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("probe")

FORMATS = pytest.mark.parametrize("form", ["json", "json_gcp", "console"])


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Return the error as it is when it was raised and caught."""
    try:
        raise error from cause  # noqa: TRY301 - that is all it is for
    except BaseException as caught:  # noqa: BLE001 - whatever it was given
        return caught


@FORMATS
def test_error_of_ours(form: str) -> None:
    """An error raised on purpose says in its text all there is: no traceback."""
    with recorded(LogConfig(format=form)) as record:
        log_failure(logger, "failed to start", raised(MSPError("the book is closed")))
        text = record.text()

    assert "failed to start: the book is closed" in text
    assert "Traceback" not in text
    assert text.count("\n") == 1


@FORMATS
def test_cause(form: str) -> None:
    """The traceback is the cause's, once, without ours below it."""
    error = raised(MSPError("the book is closed"), raised(OSError("disk on fire")))
    with recorded(LogConfig(format=form)) as record:
        log_failure(logger, "failed to start", error)
        text = record.text()

    assert text.count("Traceback") == 1
    assert "OSError: disk on fire" in text
    assert "direct cause" not in text


@FORMATS
def test_error_of_somebody_else(form: str) -> None:
    """Any other error is shown with its own traceback."""
    with recorded(LogConfig(format=form)) as record:
        log_failure(logger, "failed to start", raised(OSError("disk on fire")))
        text = record.text()

    assert text.count("Traceback") == 1
    assert "in raised" in text


@FORMATS
def test_logged_by_somebody_else(form: str) -> None:
    """An error of ours that a service logs itself shows where it was raised."""
    with recorded(LogConfig(format=form)) as record:
        logger.error("caught", exc_info=raised(MSPError("the book is closed")))
        text = record.text()

    assert "in raised" in text


def test_several(caplog: pytest.LogCaptureFixture) -> None:
    """Several that failed, at any depth, are a line each; what hangs has its stack."""
    hung = StopTimeoutError("c hangs", routine="c", stack="in deeper")
    inner = RoutineError("b; c", routine="b, c", errors=[RoutineError("b", routine="b"), hung])
    outer = RoutineError(
        "a; b; c", routine="a, b, c", errors=[RoutineError("a", routine="a"), inner]
    )
    log_failure(logger, "stop failed", outer)

    texts = [record.getMessage() for record in caplog.records]
    assert texts == ["stop failed: a", "stop failed: b", "stop failed: c hangs"]
    last = vars(caplog.records[-1])
    assert (last["routine"], last["stack"]) == ("c", "in deeper")
    assert "stack" not in vars(caplog.records[0])


def test_without_text(caplog: pytest.LogCaptureFixture) -> None:
    """An error without a text is named by its class."""
    log_failure(logger, "failed to start", TimeoutError())

    assert caplog.messages == ["failed to start: TimeoutError"]
