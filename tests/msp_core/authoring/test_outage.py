"""Outage: how much is said about what fails."""

from __future__ import annotations

import logging
import time

import pytest

from msp_core.authoring import Outage

logger = logging.getLogger("acme.notes")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the clock of this test, in seconds."""
    seconds = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def outage(clock: list[float]) -> Outage:
    """Return one that has not begun."""
    return Outage("reading notes", logger)


def test_begin_and_end_are_one_line_each(
    outage: Outage, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever tries a hundred times meanwhile is not heard of."""
    caplog.set_level(logging.INFO, logger.name)
    outage.end()
    for _ in range(3):
        outage.begin("the disk is gone")
        clock[0] += 2
    outage.end()
    outage.end()

    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("WARNING", "reading notes fails: the disk is gone; it is tried again"),
        ("INFO", "reading notes works again after 6.0 s"),
    ]


def test_what_is_not_tried_again_is_not_said_to_be(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a failure is final until somebody mends something, the line promises nothing."""
    outage.begin("the disk is locked", retried=False)

    assert caplog.messages == ["reading notes fails: the disk is locked"]


def test_the_level_is_chosen(caplog: pytest.LogCaptureFixture) -> None:
    """Where a request fails with it, an outage is an error."""
    Outage("reading notes", logger, logging.ERROR).begin("the disk is gone")

    assert [line.levelname for line in caplog.records] == ["ERROR"]


def test_flickering_is_no_flood(
    outage: Outage, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Lines are 30 s apart, to the moment; an end that follows no line is none either."""
    caplog.set_level(logging.INFO, logger.name)
    for clock[0] in (1000.0, 1029.9, 1030.0):
        outage.begin("the disk is gone")
        outage.end()

    assert [line.levelname for line in caplog.records] == ["WARNING", "INFO"] * 2


def test_current_says_since_when_and_why(outage: Outage, clock: list[float]) -> None:
    """The last reason counts, and the first moment."""
    assert outage.current() is None

    outage.begin("the disk is gone")
    clock[0] += 5
    outage.begin("the disk is full")
    assert outage.current() == "reading notes fails since 5 s: the disk is full"

    outage.end()
    assert outage.current() is None


def test_an_old_failure_does_not_count(outage: Outage, clock: list[float]) -> None:
    """What nobody uses any more is not unhealthy for ever: a failure counts for a minute."""
    outage.begin("the disk is gone")
    clock[0] += 60.0
    assert outage.current() is not None

    clock[0] += 0.1
    assert outage.current() is None
