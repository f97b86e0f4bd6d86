"""From a variable's text to the type of its field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msp_core.config._go import parse_bool, parse_duration, parse_float, parse_int
from msp_core.config._kinds import URL, Duration, Percent, choices, element_of
from msp_core.secret import Secret

MAX_PERCENT = 100


def convert(text: str, annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """Return the value that a text stands for.

    Args:
        text: of the variable, not empty.
        annotation: a type that `kind_of` accepts.

    Raises:
        ValueError: the text is not of that type. Its own text and causes may hold the value: say
            what `kind_of` says instead, and never chain it.
    """
    accepted = choices(annotation)
    if accepted is not None:
        if text not in accepted:
            raise ValueError("not one of its choices")
        return accepted[text]
    element = element_of(annotation)
    if element is not None:
        return annotation.__origin__(convert(part, element) for part in _parts(text))
    return PARSERS[annotation](text)


def parse_percent(text: str) -> int:
    """Return an integer from 0 to 100, both included."""
    value = parse_int(text)
    if not 0 <= value <= MAX_PERCENT:
        raise ValueError("not a percentage")
    return value


def parse_url(text: str) -> str:
    """Return the text as it is when it has a scheme and a host, and any port is a number."""
    parts = urlsplit(text)
    if not parts.scheme or not parts.hostname or parts.port == 0:
        raise ValueError("not a URL")
    return text


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ValueError("an element is empty")
    return parts


# What reads each type that is neither a choice nor a list; the same types as `kind_of` knows.
PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: parse_int,
    float: parse_float,
    bool: parse_bool,
    Path: Path,
    Secret: Secret,
    Duration: parse_duration,
    Percent: parse_percent,
    URL: parse_url,
}
