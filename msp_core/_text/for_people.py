"""ForPeople: what a log line says to a person, where that differs from what it says to machines."""

from __future__ import annotations

from typing import Final

import attrs

# Name in `extra` under which a line carries its `ForPeople`; no field.
CONSOLE: Final = "msp_console"


@attrs.frozen(eq=False)
class ForPeople:
    """What the console shows in place of a line's logger, message and fields.

    Attributes:
        text: one clause.
        fields: names of the line's own fields that are shown all the same. Default none.
    """

    text: str
    fields: frozenset[str] = frozenset()
