"""Terminal: what a command's answer is printed on, how wide it is and whether it is coloured."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, TextIO

import attrs

_CODES: Final = {"bold": "1", "red": "31", "green": "32", "yellow": "33"}


@attrs.frozen(kw_only=True)
class Terminal:
    """What text for people is fitted to.

    Attributes:
        width: columns; None where lines may be of any length, as in a pipe or a file.
        coloured: whether text may be coloured.
    """

    width: int | None = None
    coloured: bool = False

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> Terminal:
        """Return what the stream is; `COLUMNS` overrides the width of a terminal."""
        return cls(width=_width(stream, environ), coloured=is_coloured(stream, environ))

    def paint(self, text: str, colour: str) -> str:
        """Return the text in `bold`, `red`, `green` or `yellow`, plain where none may be."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.coloured and text else text


# A file, a pipe, or a page: lines of any length, no colours.
PLAIN: Final = Terminal()


def is_coloured(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Return whether lines for people are coloured on the stream.

    `NO_COLOR` forbids it and `FORCE_COLOR` asks for it, each when it is not empty; without them a
    terminal is coloured, unless `TERM` says that it is `dumb`.

    Args:
        stream: where to; None when the process has no such stream.
        environ: the variables.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"


def _width(stream: TextIO, environ: Mapping[str, str]) -> int | None:
    if not stream.isatty():
        return None
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    # A terminal that does not know its size says 0.
    return os.get_terminal_size(stream.fileno()).columns or None
