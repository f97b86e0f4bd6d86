"""Colour: whether what is printed may be coloured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


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
