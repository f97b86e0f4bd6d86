"""Tables of text with aligned columns, as wide as what they are printed on."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs

from msp_core._text.terminal import PLAIN, Terminal

# The last column holds sentences; with less room than this they are easier to read below the row.
SENTENCE: Final = 30

_GAP: Final = "  "
_INDENT: Final = "    "


@attrs.frozen(kw_only=True, eq=False)
class TextTable:
    """A table for people.

    Attributes:
        header: names of the columns.
        rows: the cells of each row.
        terminal: what it is fitted to; default any width, and no colours.
        colours: of the cells that have these texts.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    terminal: Terminal = PLAIN
    colours: Mapping[str, str] = MappingProxyType({})

    def lines(self) -> list[str]:
        """Return each row as one text, the header's first; columns are two spaces apart.

        Where the rows are wider than the terminal, the last column is wrapped. Where that leaves
        too little room for it, what follows the first cell of a row stands below that cell.
        """
        all_rows = [self.header, *self.rows]
        *widths, last = (max(map(len, column)) for column in zip(*all_rows, strict=True))
        room = None
        if self.terminal.width is not None:
            room = self.terminal.width - sum(widths) - len(_GAP) * len(widths)
        if room is not None and room < min(last, SENTENCE):
            return [self._stack(row) for row in all_rows]
        return [self._align(row, widths, room) for row in all_rows]

    def _align(self, row: Sequence[str], widths: Sequence[int], room: int | None) -> str:
        *cells, sentence = row
        columns = zip(cells, widths, strict=True)
        # Spaces are added to the painted cell: they have no colour and can be cut off at the end.
        head = "".join(
            self._paint(cell) + " " * (width - len(cell)) + _GAP for cell, width in columns
        )
        first, *more = _wrap(sentence, room)
        indent = " " * (sum(widths) + len(_GAP) * len(widths))
        return "\n".join([f"{head}{first}".rstrip(), *(f"{indent}{part}" for part in more)])

    def _stack(self, row: Sequence[str]) -> str:
        first, *cells, sentence = row
        room = (self.terminal.width or 0) - len(_INDENT)
        below = [_GAP.join(map(self._paint, cells)), *_wrap(sentence, room)]
        return "\n".join([self._paint(first), *(f"{_INDENT}{part}" for part in below if part)])

    def _paint(self, cell: str) -> str:
        return self.terminal.paint(cell, self.colours[cell]) if cell in self.colours else cell


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_escape, line))} |" for line in lines)


def _wrap(sentence: str, room: int | None) -> list[str]:
    """Return the sentence in parts that fit; a name too long for a line stays whole."""
    if room is None:
        return [sentence]
    parts = textwrap.wrap(sentence, max(room, 1), break_long_words=False, break_on_hyphens=False)
    return parts or [""]


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")
