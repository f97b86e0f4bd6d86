"""Levels, and the root logger before and after."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from msp_core._logs.config import LogConfig
from tests.msp_core.log_lines import configured, recorded


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Give the root logger, and put back its handlers and level."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_root_level() -> None:
    """Below the level nothing is written, from no logger."""
    with recorded(LogConfig(level="warn")) as record:
        logging.getLogger("a").info("x")
        logging.getLogger("a.b").warning("y")

        assert [line["Body"] for line in record.lines()] == ["y"]


def test_level_none() -> None:
    """`none` silences everything."""
    with recorded(LogConfig(level="none")) as record:
        logging.getLogger("a").critical("x")
        logging.getLogger("a").log(99, "x")

        assert record.text() == ""


def test_scope_levels_ignore_the_root() -> None:
    """A scope's level holds for it and its children in both directions, for no lookalike."""
    config = LogConfig(level="warn", scope_levels="a=debug,a.quiet=none,b=error")
    with recorded(config) as record:
        for name in ("a", "a.child", "a.quiet.child", "ab", "b.child"):
            logging.getLogger(name).debug("debug")
            logging.getLogger(name).warning("warning")
        lines = [(line["InstrumentationScope"], line["Body"]) for line in record.lines()]

    assert lines == [
        ("a", "debug"),
        ("a", "warning"),
        ("a.child", "debug"),
        ("a.child", "warning"),
        ("ab", "warning"),
    ]


def test_printing_handlers_are_set_aside(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A handler that prints would print each line twice; another one goes on."""
    memory = io.StringIO()
    printing, other = logging.StreamHandler(sys.stderr), logging.StreamHandler(memory)
    root.handlers[:] = [printing, other]
    with recorded() as record:
        logging.getLogger("a").info("x")
        record.line()
    during = capsys.readouterr().err
    logging.getLogger("a").warning("y")

    assert during == ""
    assert memory.getvalue() == "x\ny\n"
    assert capsys.readouterr().err == "y\n"
    assert root.handlers == [other, printing]


def test_levels_are_put_back(root: logging.Logger) -> None:
    """After closing, the levels are those found."""
    root.setLevel(35)
    logging.getLogger("scoped").setLevel(15)
    configured(LogConfig(scope_levels="scoped=debug"), stream=io.StringIO()).close()

    assert root.level == 35
    assert logging.getLogger("scoped").level == 15
    logging.getLogger("scoped").setLevel(logging.NOTSET)


def test_second_configure_takes_over() -> None:
    """Configured twice, a line is still written once, and the first one comes back."""
    with recorded() as outer:
        with recorded() as inner:
            logging.getLogger("a").info("x")
            inner.line()
        logging.getLogger("a").info("y")

        assert outer.line()["Body"] == "y"


def test_own_lines_come_before_other_handlers(root: logging.Logger) -> None:
    """A line is on its way before somebody else's handler can hang over it."""
    other = logging.NullHandler()
    root.addHandler(other)
    with recorded():
        assert type(root.handlers[0]).__name__ == "Pipeline"
        assert other in root.handlers
