"""Refusal: why a value will not do."""

from __future__ import annotations

import attrs


@attrs.frozen
class Refusal:
    """Why a value will not do, in the words of a Problem. Never holds the value.

    Attributes:
        wrong: what is wrong, one clause: `is not a boolean`.
        expected: what would be accepted; empty when `wrong` says it already.
        hint: what to do beyond that; may be empty.
        path: where in a variable that holds JSON, `$.tiers[2].rate`; empty for all of it.
    """

    wrong: str
    expected: str = ""
    hint: str = ""
    path: str = ""
