"""The commands on a terminal: as wide as it is, coloured where that is wanted."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from msp_core._text.terminal import Terminal
from tests.msp_core.installed import Installed, plugin_source
from tests.search_path import search_path

NARROW = 60


@pytest.fixture
def terminal() -> Iterator[io.TextIOWrapper]:
    """Give the program's side of a terminal of 72 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        yield stream
    os.close(ours)


def test_size(terminal: io.TextIOWrapper) -> None:
    """A terminal says how wide it is; who sets COLUMNS knows better."""
    assert Terminal.of(terminal, {}) == Terminal(width=72, coloured=True)
    assert Terminal.of(terminal, {"COLUMNS": "100", "NO_COLOR": "1"}) == Terminal(width=100)


@pytest.mark.parametrize("columns", ["", "0", "wide", "-5"])
def test_columns_that_are_none(terminal: io.TextIOWrapper, columns: str) -> None:
    """What is no number of columns is passed over."""
    assert Terminal.of(terminal, {"COLUMNS": columns}).width == 72


def test_terminal_without_a_size(terminal: io.TextIOWrapper) -> None:
    """Where nobody knows the width, lines may be of any length."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))

    assert Terminal.of(terminal, {}).width is None


def test_pipe() -> None:
    """A pipe or a file has no width, whatever COLUMNS says, and no colours unless asked for."""
    pipe = io.StringIO()

    assert Terminal.of(pipe, {"COLUMNS": "60"}) == Terminal(width=None, coloured=False)
    assert Terminal.of(pipe, {"FORCE_COLOR": "1"}) == Terminal(width=None, coloured=True)


@pytest.mark.parametrize(
    ("colour", "code"),
    [("bold", "1"), ("red", "31"), ("green", "32"), ("yellow", "33")],
)
def test_paint(colour: str, code: str) -> None:
    """Colours are those of every terminal, and end where the text does."""
    assert Terminal(coloured=True).paint("x", colour) == f"\x1b[{code}mx\x1b[0m"
    assert Terminal(coloured=True).paint("", colour) == ""
    assert Terminal(coloured=False).paint("x", colour) == "x"


class Screen:
    """Runs commands of `msp` on a terminal of 60 columns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, line: str, **environ: str) -> str:
        """Return what one prints."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, NARROW, 0, 0))
        kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
        with subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-m", "msp_core", *line.split()],
            env={**kept, **search_path(self._folder), "TERM": "xterm", **environ},
            stdout=theirs,
        ):
            os.close(theirs)
            with os.fdopen(ours, "rb") as reader:
                return _all(reader).decode().replace("\r\n", "\n")


def _all(reader: io.BufferedReader) -> bytes:
    """Return what comes until no program holds the terminal any more, which reads as an error."""
    found = bytearray()
    try:
        while part := reader.read1():
            found += part
    except OSError:
        pass
    return bytes(found)


SERVICE = """
    import attrs
    from msp_core.config import env
    from msp_core.hookspecs import hookimpl

    @attrs.frozen
    class Config:
        greeting: str = env("GREETING", default="hello", help="first word of every answer")
        token: str = env("GUESTBOOK_TOKEN", help="signs cookies")

    class Service:
        name, version, config = "guestbook", "1.2.3", Config

        @hookimpl
        async def msp_initialize(self): ...
"""


@pytest.fixture
def screen(installed: Installed) -> Screen:
    """Install a service with a plugin, and give the terminal before it."""
    installed.plugin("kv", plugin_source('dsn: str = env("KV_DSN", help="where it answers")'))
    installed.service("guestbook", SERVICE, requires=["msp-kv"])
    return Screen(installed.folder)


@pytest.mark.parametrize("line", ["env guestbook", "plugins guestbook", "check guestbook"])
def test_lines_fit(screen: Screen, line: str) -> None:
    """No line is wider than the terminal, with its colours left out."""
    lines = re.sub("\x1b.*?m", "", screen(line)).splitlines()

    assert len(lines) > 5
    assert max(map(len, lines)) <= NARROW


def test_colours(screen: Screen) -> None:
    """Colours tell apart what is well and what is not."""
    variables = screen("env guestbook", GREETING="hi")
    plugins = screen("plugins guestbook", KV_DSN="dsn")
    check = screen("check guestbook", GREETIN="hi")

    assert "\x1b[1mservice 'guestbook'\x1b[0m\n" in variables
    assert "\x1b[32myes\x1b[0m" in variables
    assert "\x1b[33m(required)\x1b[0m" in variables
    assert "\x1b[32mconfigured\x1b[0m" in plugins
    assert "\x1b[33mloaded\x1b[0m" in screen("plugins guestbook")
    assert "\x1b[33mwarning\x1b[0m  GREETIN is set" in check
    assert "\x1b[31mfail\x1b[0m     PORT is missing" in check


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours(screen: Screen, environ: dict[str, str]) -> None:
    """Who wants no colours gets none."""
    assert "\x1b" not in screen("check guestbook", **environ)


def test_machine(screen: Screen) -> None:
    """What is for machines is never coloured."""
    assert "\x1b" not in screen("check guestbook --format json", FORCE_COLOR="1")
