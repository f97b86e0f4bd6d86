"""Sampling: lines that repeat too fast, when somebody asks for fewer of them."""

from __future__ import annotations

import logging

import pytest

from msp_core import load
from msp_core._logs.config import LogConfig
from msp_core._logs.sampling import Sampling
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook.entries")


def record(text: str, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    """Return a record of that text."""
    return logging.LogRecord("guestbook", level, __file__, 0, text, args, None)


def test_first_ones_pass_then_every_nth() -> None:
    """Two of each second pass, and of the others every third, whatever their arguments."""
    passes = Sampling(2, 3, clock=lambda: 7.5)

    assert [passes(record("visit %d", number)) for number in range(9)] == [
        True, True, False, False, True, False, False, True, False,
    ]  # fmt: skip


def test_texts_and_levels_are_counted_apart() -> None:
    """A line that repeats leaves no other out."""
    passes = Sampling(1, 1000, clock=lambda: 7.5)

    assert passes(record("visit"))
    assert not passes(record("visit"))
    assert passes(record("left"))
    assert passes(record("visit", level=logging.ERROR))


def test_texts_that_are_all_argument_are_counted_apart() -> None:
    """`%s` says nothing about what repeats: of two problems, both are written."""
    passes = Sampling(1, 1000, clock=lambda: 7.5)

    assert passes(record("%s", "PORT is missing"))
    assert passes(record("%s", "GREETING is missing"))
    assert not passes(record("%s", "PORT is missing"))


def test_arguments_that_do_not_fit() -> None:
    """A line whose arguments do not fit is left to whoever writes it."""
    passes = Sampling(1, 1000, clock=lambda: 7.5)

    assert passes(record("%s", 1, 2))
    assert not passes(record("%s", 3, 4))


def test_each_second_begins_anew() -> None:
    """What passed in one second does not count in the next."""
    now = [1.9]
    passes = Sampling(1, 1000, clock=lambda: now[0])

    assert passes(record("visit"))
    assert not passes(record("visit"))

    now[0] = 2.0

    assert passes(record("visit"))


@pytest.mark.parametrize(
    ("environ", "sampled"),
    [
        ({}, False),
        ({"SRC_LOG_SAMPLING_INITIAL": "5"}, True),
        ({"SRC_LOG_SAMPLING_INITIAL": "0"}, False),
        ({"SRC_LOG_SAMPLING_INITIAL": "-1"}, False),
        ({"SRC_LOG_SAMPLING_INITIAL": "5", "SRC_LOG_SAMPLING_THEREAFTER": "0"}, False),
        ({"SRC_LOG_SAMPLING_THEREAFTER": "5"}, False),
    ],
)
def test_is_off_unless_asked_for(environ: dict[str, str], *, sampled: bool) -> None:
    """Every line is written by default, and when one of the two is 0 or less."""
    assert load(LogConfig, environ).sampled is sampled


def test_lines_are_left_out() -> None:
    """The variables reach the lines."""
    with recorded(LogConfig(sampling_initial=2, sampling_thereafter=1000)) as written:
        for number in range(50):
            logger.info("visit %d", number)
        text = written.text()

    # The clock may turn once while they are logged.
    assert 2 <= text.count("visit") <= 4
