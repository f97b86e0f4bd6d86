"""Pages of a list: tokens are the number of the next entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import attrs

from msp_bigquery_emulator._rest.request import Request

T = TypeVar("T")

LARGEST: Final = 10_000  # entries of one page; BigQuery limits bytes


@attrs.frozen
class Page:
    """A part of a list.

    Attributes:
        start: number of its first entry, from 0.
        size: entries at most.
    """

    start: int
    size: int

    @classmethod
    def of(cls, request: Request) -> Page:
        """Return the page that a request asks for.

        Raises:
            BigQueryError: its numbers are none.
        """
        start = request.number("pageToken", request.number("startIndex", 0))
        return cls(start, min(request.number("maxResults", LARGEST), LARGEST))

    def cut(self, entries: Sequence[T]) -> Sequence[T]:
        """Return the entries of this page."""
        return entries[self.start : self.start + self.size]

    def token(self, name: str, total: int) -> dict[str, Any]:
        """Return where the next page starts, as the member of that name; empty for the last."""
        end = self.start + self.size
        return {name: str(end)} if end < total else {}
