"""CSV as load jobs read it: rows of text, in which a quoted empty text is no NULL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs

from msp_bigquery_emulator._errors import invalid

Row: TypeAlias = tuple[int, list[str | None]]

_DELIMITERS: Final = {"tab": "\t", "\\t": "\t", "": ","}
_ENCODINGS: Final = {
    "": "utf-8-sig",
    "UTF-8": "utf-8-sig",
    "ISO-8859-1": "latin-1",
    "UTF-16BE": "utf-16-be",
    "UTF-16LE": "utf-16-le",
    "UTF-32BE": "utf-32-be",
    "UTF-32LE": "utf-32-le",
}


@attrs.frozen
class CSVOptions:
    """How a file is written.

    Attributes:
        delimiter: between fields, one character.
        quote: around fields; empty for none.
        null: unquoted texts that mean NULL.
        encoding: a codec of Python.
        skipped: rows at the beginning that are no data; None when the job does not say.
        jagged: rows may lack columns at their end.
    """

    delimiter: str
    quote: str
    null: frozenset[str]
    encoding: str
    skipped: int | None
    jagged: bool

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> CSVOptions:
        """Return the options of REST's `configuration.load`.

        Raises:
            BigQueryError: one of them cannot be.
        """
        delimiter = request.get("fieldDelimiter") or ""
        delimiter = _DELIMITERS.get(delimiter.lower(), delimiter)
        quote = request.get("quote", '"')
        encoding = _ENCODINGS.get(str(request.get("encoding") or "").upper())
        if len(delimiter) != 1 or len(quote) > 1 or encoding is None:
            raise invalid("Invalid CSV options: expected one character, and a known encoding")
        skipped = request.get("skipLeadingRows")
        return cls(
            delimiter,
            quote,
            frozenset(request.get("nullMarkers") or [request.get("nullMarker") or ""]),
            encoding,
            None if skipped is None else int(skipped),
            bool(request.get("allowJaggedRows")),
        )

    def rows(self, content: bytes) -> list[Row]:
        """Return the rows of a file, each with the number of its first line.

        Raises:
            BigQueryError: it is not in its encoding, or a quote does not end.
        """
        try:
            text = content.decode(self.encoding)
        except UnicodeDecodeError:
            raise invalid("Error while reading data, error message: bad encoding") from None
        return list(self._rows(text))

    def _rows(self, text: str) -> Iterator[Row]:
        field = self._field()
        place, line, begun = 0, 1, 1
        row: list[str | None] = []
        while place < len(text) or row:
            match = field.match(text, place)
            if match is None:
                raise invalid(
                    "Error while reading data, error message: CSV: data between close quote and "
                    f"field separator, or no close quote; line {line}"
                )
            row.append(self._value(match))
            line += match[0].count("\n")
            place = match.end()
            if match["end"] != self.delimiter:
                if row not in ([None], [""]):
                    yield begun, row
                row, begun = [], line

    def _field(self) -> re.Pattern[str]:
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        quoted = f"{q}(?P<quoted>(?:[^{q}]|{q}{q})*+){q}|" if self.quote else "(?P<quoted>(?!))|"
        plain = rf"(?P<plain>{f'(?!{q})' if self.quote else ''}[^{d}\r\n]*+)"
        return re.compile(rf"(?:{quoted}{plain})(?P<end>{d}|\r\n|\n|\r|\Z)")

    def _value(self, match: re.Match[str]) -> str | None:
        quoted, plain = match["quoted"], match["plain"]
        if quoted is not None:
            return quoted.replace(self.quote * 2, self.quote)
        return None if plain in self.null else plain
