"""Names that are set, read by nobody, and close to a declared one that is not set."""

from __future__ import annotations

from collections.abc import Collection, Iterable

LONG_NAME = 12


def near_misses(present: Iterable[str], declared: Collection[str]) -> dict[str, str]:
    """Return each misspelt name with the declared name it is close to.

    Args:
        present: names of the variables that are set.
        declared: names of the variables that are read.
    """
    present = set(present)
    unset = [name for name in declared if name not in present]
    strays = sorted(present.difference(declared))
    return {stray: name for stray in strays if (name := _closest(stray, unset)) is not None}


def _closest(stray: str, names: Iterable[str]) -> str | None:
    found = None
    least = None
    for name in names:
        allowed = 2 if len(name) >= LONG_NAME else 1
        if abs(len(stray) - len(name)) > allowed:
            continue
        distance = edits(stray.upper(), name.upper())
        if distance <= allowed and (least is None or distance < least):
            found, least = name, distance
    return found


def edits(one: str, other: str) -> int:
    """Return the optimal string alignment distance.

    It counts letters that are inserted, left out, replaced, or swapped with their neighbour.
    """
    older: list[int] = []
    old = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        new = [row]
        for column, counterpart in enumerate(other, start=1):
            replaced = old[column - 1] + (letter != counterpart)
            cost = min(old[column] + 1, new[column - 1] + 1, replaced)
            if _swapped(one[:row], other[:column]):
                cost = min(cost, older[column - 2] + 1)
            new.append(cost)
        older, old = old, new
    return old[-1]


def _swapped(one: str, other: str) -> bool:
    """Return whether both end in the same two letters, in turned order."""
    return min(len(one), len(other)) > 1 and one[-2:] == other[:-3:-1]
