"""Pairs: the lists of `name=value` that the specification uses for attributes and headers."""

from __future__ import annotations

from urllib.parse import unquote


def parse_pairs(text: str) -> dict[str, str]:
    """Return the pairs of `name=value,name=value`, values percent-decoded; the later one wins.

    Raises:
        ValueError: an entry has no `=`, or no name; its text does not hold the entry.
    """
    pairs: dict[str, str] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        name, separator, value = entry.partition("=")
        if not separator or not name.strip():
            raise ValueError("an entry is not name=value")
        pairs[unquote(name.strip())] = unquote(value.strip())
    return pairs
