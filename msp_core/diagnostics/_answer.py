"""Answer: what a diagnostics endpoint says, before any protocol."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True, eq=False)
class Answer:
    """A complete HTTP response.

    Attributes:
        status: HTTP status code.
        body: sent as it is, not sent at all for HEAD.
        content_type: with charset.
        extra: more headers, lower-case names.
    """

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    extra: tuple[tuple[str, str], ...] = ()

    @classmethod
    def text(cls, status: int, text: str, *extra: tuple[str, str]) -> Answer:
        """Return a plain text answer."""
        return cls(status=status, body=text.encode(), extra=extra)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All headers; the length is that of the body even where HEAD leaves it out."""
        return [
            ("content-type", self.content_type),
            ("content-length", str(len(self.body))),
            ("cache-control", "no-store"),
            *self.extra,
        ]
