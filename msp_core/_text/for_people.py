"""ForPeople: what a log line says to a person, where that differs from what it says to machines."""

from __future__ import annotations

from typing import Final

import attrs

CONSOLE: Final = "msp_console"
"""Name in `extra` under which a line carries its `ForPeople`; no field."""


@attrs.frozen
class ForPeople:
    """What the console shows in place of a line's logger, message and fields.

    Attributes:
        text: one clause.
        fields: names of the line's own fields that are shown all the same. Default none.
    """

    text: str
    fields: frozenset[str] = frozenset()


def brief(seconds: float) -> str:
    """Return a duration as a person reads it: `3.1 ms`, `176 ms`, `2.59 s`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    # Below ten of them a tenth says something.
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"  # noqa: PLR2004
