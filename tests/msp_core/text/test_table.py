"""Tables: aligned where there is room, wrapped and stacked where there is little."""

from __future__ import annotations

import re

import pytest

from msp_core._text.table import TextTable, markdown_table
from msp_core._text.terminal import Terminal

HEADER = ("name", "type", "meaning")
ROWS = [
    ("PORT", "integer", "port to listen on, on all interfaces"),
    ("GREETING", "text", ""),
    ("TOKEN", "secret", "signs  cookies"),
]


def table(width: int | None = None, **colours: str) -> list[str]:
    """Return the lines of the table above."""
    terminal = Terminal(width=width, coloured=bool(colours))
    text = TextTable(header=HEADER, rows=ROWS, terminal=terminal, colours=colours).lines()
    return "\n".join(text).split("\n")


def test_any_width() -> None:
    """A pipe gets one line for each row, however long, columns aligned, texts as they are."""
    assert table() == [
        "name      type     meaning",
        "PORT      integer  port to listen on, on all interfaces",
        "GREETING  text",
        "TOKEN     secret   signs  cookies",
    ]


@pytest.mark.parametrize("width", [55, 1000])
def test_enough_room(width: int) -> None:
    """A terminal that is wide enough gets the same."""
    assert table(width) == table()


def test_sentences_are_wrapped() -> None:
    """A sentence goes on below its beginning, and no line is wider than the terminal."""
    assert table(49) == [
        "name      type     meaning",
        "PORT      integer  port to listen on, on all",
        "                   interfaces",
        "GREETING  text",
        "TOKEN     secret   signs  cookies",
    ]


def test_little_room() -> None:
    """With less room than a sentence needs, it stands below what it explains."""
    assert table(48) == [
        "name",
        "    type",
        "    meaning",
        "PORT",
        "    integer",
        "    port to listen on, on all interfaces",
        "GREETING",
        "    text",
        "TOKEN",
        "    secret",
        "    signs  cookies",
    ]
    assert max(map(len, table(28))) <= 28


def test_no_room() -> None:
    """A terminal that is narrower than the indent gets a word a line."""
    assert table(4)[:3] == ["name", "    type", "    meaning"]


def test_short_sentences_need_little_room() -> None:
    """A table whose sentences fit stays a table, however narrow the terminal."""
    short = TextTable(header=("a", "b"), rows=[("1", "22")], terminal=Terminal(width=5))

    assert short.lines() == ["a  b", "1  22"]


def test_long_names_stay_whole() -> None:
    """A name can be copied, even from a terminal that is too narrow for it."""
    name = "OTEL_EXPORTER_OTLP_TRACES_CLIENT-CERTIFICATE"
    rows = [("A", f"together with {name}")]
    text = TextTable(header=("a", "b"), rows=rows, terminal=Terminal(width=40)).lines()[1]

    assert text.splitlines() == ["A  together with", f"   {name}"]


@pytest.mark.parametrize("width", [None, 49, 30])
def test_colours_change_no_column(width: int | None) -> None:
    """What has a colour is as wide as without it, and nothing beside it is coloured."""
    lines = table(width, secret="red")

    assert [re.sub("\x1b.*?m", "", line) for line in lines] == table(width)
    assert re.findall(".?\x1b.*\x1b.*?m", "\n".join(lines)) == [" \x1b[31msecret\x1b[0m"]


def test_markdown() -> None:
    """A bar inside a cell does not end it."""
    assert markdown_table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |"
