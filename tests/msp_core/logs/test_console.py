"""The format `console`: lines for people."""

from __future__ import annotations

import logging
import re

import pytest

from msp_core._logs.config import LogConfig
from msp_core._text.durations import format_seconds
from msp_core._text.for_people import CONSOLE as CONSOLE_TEXT
from msp_core._text.for_people import ForPeople
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook.entries")
CONSOLE = LogConfig(development="true", level="debug")
TIME = r"\d\d:\d\d:\d\d\.\d{3}"


def test_whole_line() -> None:
    """A person reads time, level, logger, message and fields, in this order."""
    with recorded(CONSOLE) as record:
        logger.warning("wrote %d", 3, extra={"path": "/a", "who": "Zoë B", "took": 0.25})
        text = record.text()

    assert re.fullmatch(
        rf'{TIME} WARN  guestbook\.entries wrote 3 path=/a who="Zoë B" took=0\.25\n', text
    )


def test_dict_message() -> None:
    """A dict given as message is shown as fields."""
    with recorded(CONSOLE) as record:
        logger.info({"a": [1, None]})
        text = record.text()

    assert text.endswith("INFO  guestbook.entries a=[1, null]\n")


def test_ids_are_short_and_one_is_enough() -> None:
    """Of a line in a trace the trace's first digits are shown, at the end, and no other id."""
    ids = {"trace_id": "4bf92f3577b34da6", "span_id": "00f067aa", "trace_sampled": True}
    with recorded(CONSOLE) as record:
        logger.info("x", extra={**ids, "request_id": "124aebb5b0ee464f", "n": 1})
        text = record.text()

    assert text.endswith(" guestbook.entries x n=1 trace=4bf92f35\n")


def test_request_without_a_trace() -> None:
    """Without a trace the request's own id tells which lines belong together."""
    with recorded(CONSOLE) as record:
        logger.info("x", extra={"request_id": "124aebb5b0ee464f", "trace_id": None})
        text = record.text()

    assert text.endswith(" x request=124aebb5\n")


def test_what_people_are_told() -> None:
    """A line may say it better to people: then nothing that the text says comes twice."""
    said = ForPeople("wrote 3 in\n5 ms", frozenset({"kept", "absent"}))
    with recorded(CONSOLE) as record:
        record.logs.add_processor(lambda record, fields: fields.update(plugin="x"))
        logger.info("wrote", extra={CONSOLE_TEXT: said, "count": 3, "kept": "yes"})
        text = record.text()

    assert re.fullmatch(f"{TIME} INFO  wrote 3 in\n    5 ms kept=yes plugin=x\n", text)


@pytest.mark.parametrize("format_name", ["json", "json_gcp"])
def test_what_people_are_told_is_not_for_machines(format_name: str) -> None:
    """The JSON formats show message and fields as ever."""
    with recorded(LogConfig(format=format_name)) as record:
        logger.info("wrote", extra={CONSOLE_TEXT: ForPeople("wrote 3"), "count": 3})
        line = record.line()

    assert line["Attributes"] == {"count": 3}
    assert "wrote" in line.values()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 ms"),
        (0.00314, "3.1 ms"),
        (0.00999, "10.0 ms"),
        (0.01, "10 ms"),
        (0.1764, "176 ms"),
        (0.999, "999 ms"),
        (1.0, "1.00 s"),
        (62.345, "62.34 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """A duration has the unit and the digits a person wants."""
    assert format_seconds(seconds) == text


def test_tables_are_for_machines() -> None:
    """A list of records is left to the JSON formats; the message says it to people."""
    with recorded(CONSOLE) as record:
        logger.info("stopped: redis 0.1 s", extra={"steps": [{"name": "redis"}], "codes": [0]})
        text = record.text()

    assert text.endswith("stopped: redis 0.1 s codes=[0]\n")


def test_traceback_is_readable() -> None:
    """Tracebacks and stacks keep their lines."""
    with recorded(CONSOLE) as record:
        try:
            raise RuntimeError("broken")  # noqa: TRY301 - to have a traceback
        except RuntimeError:
            logger.exception("cannot write", stack_info=True)
        text = record.text()

    assert "cannot write\n    Traceback (most recent call last):\n      File " in text
    assert "\n    RuntimeError: broken\n    Stack (most recent call last):\n      File " in text


def test_no_exception() -> None:
    """`logger.exception` outside of an `except` adds no empty traceback."""
    with recorded(CONSOLE) as record:
        logger.exception("nothing was raised")  # noqa: LOG004 - the mistake that is meant
        text = record.text()

    assert text.count("\n") == 1


@pytest.mark.parametrize("level", ["info", "debug"])  # folded, and whole
def test_exception_cannot_pass_for_another_line(level: str) -> None:
    """No text of an exception, its causes or its notes begins where a log line begins."""
    forged = "12:00:00.000 INFO  fake"
    error = ValueError(f"a\n{forged}\r{forged}\u2028{forged}")
    error.add_note(f"note\n{forged}\n")
    error.__cause__ = RuntimeError(f"\n{forged}")
    with recorded(LogConfig(format="console", level=level)) as record:
        logger.error("cannot write", exc_info=error)
        lines = record.text().splitlines()

    assert lines[0].endswith("cannot write")
    assert sum(forged in line for line in lines) == 3
    assert all(line.startswith("    ") for line in lines[1:])
    assert any(line.endswith(f"{forged}\\r{forged}\\u2028{forged}") for line in lines)


def test_no_character_turns_a_line_round() -> None:
    """Characters that change the order of what stands beside them are shown as what they are."""
    with recorded(CONSOLE) as record:
        logger.info("a\u202eb\u2066c\u2029d", extra={"agent": "e\u2069\u202a"})
        text = record.text()

    assert text.endswith('a\\u202eb\\u2066c\\u2029d agent="e\\u2069\\u202a"\n')


def test_message_cannot_pass_for_another_line() -> None:
    """What a caller sends neither forges a line nor commands the terminal."""
    with recorded(CONSOLE) as record:
        logger.info("a\n12:00:00.000 INFO  fake", extra={"agent": "\x1b[2J\x07", "text": "b\nc"})
        text = record.text()

    assert "a\n    12:00:00.000 INFO  fake" in text
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "text=\n    b\n    c\n" in text


@pytest.mark.parametrize(
    ("level", "colour"),
    [
        (logging.CRITICAL, "\x1b[31mCRIT "),
        (logging.ERROR, "\x1b[31mERROR"),
        (logging.WARNING, "\x1b[33mWARN "),
        (logging.INFO, "\x1b[32mINFO "),
        (logging.DEBUG, " DEBUG "),
    ],
)
def test_colour(level: int, colour: str) -> None:
    """Where colours are wanted, the level's colour says how bad it is."""
    with recorded(CONSOLE, colour=True) as record:
        logger.log(level, "hello")
        text = record.text()

    assert colour in text


def test_what_is_beside_the_point_is_dim() -> None:
    """Time, logger and names of fields stand back behind what the line says."""
    with recorded(CONSOLE, colour=True) as record:
        logger.info("hello", extra={"n": 1})
        text = record.text()

    dim, plain = re.escape("\x1b[2m"), re.escape("\x1b[0m")
    level = re.escape("\x1b[32mINFO \x1b[0m")
    assert re.fullmatch(
        f"{dim}{TIME}{plain} {level} {dim}guestbook.entries{plain} hello {dim}n={plain}1\n", text
    )


def test_control_characters_of_a_message() -> None:
    """What would command the terminal is shown by its number."""
    with recorded(CONSOLE) as record:
        logger.info("a\x1bb\x7f")
        text = record.text()

    assert text.endswith("entries a\\x1bb\\x7f\n")


def test_no_colour_when_not_wanted() -> None:
    """Without colours a line holds no control characters."""
    with recorded(CONSOLE) as record:
        logger.error("x", extra={"n": 1})
        text = record.text()

    assert "\x1b" not in text
