"""Request and Answer: one call of the REST API, parted from HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from msp_bigquery_emulator._errors import BigQueryError, invalid


@attrs.frozen
class Request:
    """What a client asks.

    Attributes:
        path: the named parts of the path, such as `dataset`.
        query: of the URL, the last value of each name.
        headers: by name in lower case.
        content: the body, as it came.
        gone: says whether the client has closed its connection.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    gone: Callable[[], bool] = bool

    @property
    def body(self) -> dict[str, Any]:
        """The body as a JSON object; empty when there is none.

        Raises:
            BigQueryError: it is something else.
        """
        return parse_object(self.content) if self.content else {}

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the query, 0 or more.

        Raises:
            BigQueryError: it is something else.
        """
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit():
            raise invalid(f"Invalid value of {name}: expected a whole number", name)
        return int(text)

    def flag(self, name: str) -> bool:
        """Return whether something is asked for."""
        return self.query.get(name, "").lower() == "true"


@attrs.frozen
class Answer:
    """What a client gets.

    Attributes:
        body: JSON; None for no body.
        status: of HTTP.
        headers: besides those that every answer has.
    """

    body: Mapping[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)


Answering: TypeAlias = Callable[[Request], Answer]


def parse_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object that bytes hold.

    Raises:
        BigQueryError: they hold something else.
    """
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        raise BigQueryError(400, "parseError", "Parse Error: the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise BigQueryError(400, "parseError", "Parse Error: the body is not a JSON object")
    return parsed
