"""Did you mean: names that are misspelt, and the names they are close to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

# A name this long may have two slips of a finger, a shorter one only one: short names are close to
# each other by chance.
LONG_NAME = 12

# Kubernetes sets variables for every service beside a container: REDIS_SERVICE_HOST,
# REDIS_SERVICE_PORT, REDIS_PORT_6379_TCP_ADDR and so on. A namespace of 200 services makes 1,400 of
# them.
_SERVICE_HOST = "_SERVICE_HOST"
_LINK = re.compile(r"_(?:SERVICE_HOST\Z|SERVICE_PORT|PORT)(?=_|\Z)")


def near_misses(present: Iterable[str], declared: Collection[str]) -> dict[str, str]:
    """Return each misspelt name with the declared name it is close to.

    The work grows with the number of names that are set, and for each of them with the number of
    declared names of its length.

    Args:
        present: names of the variables that are set; what Kubernetes sets for services is passed
            over.
        declared: names of the variables that are read.
    """
    present = frozenset(present)
    known = _Names(name for name in declared if name not in present)
    strays = sorted(_without_service_links(present.difference(declared)))
    return {stray: name for stray in strays if (name := known.closest(stray)) is not None}


def closest(name: str, names: Iterable[str]) -> str | None:
    """Return which of the names is meant; None when none is close."""
    return _Names(names).closest(name)


class _Names:
    """Names by length, so that a misspelling is compared only with those of about its length."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_length: defaultdict[int, list[tuple[int, str, str, frozenset[str]]]]
        self._by_length = defaultdict(list)
        for place, name in enumerate(names):
            upper = name.upper()
            self._by_length[len(name)].append((place, name, upper, frozenset(upper)))

    def closest(self, name: str) -> str | None:
        """Return the name with the fewest edits; of equally close ones the first."""
        upper = name.upper()
        letters = frozenset(upper)
        found: list[tuple[int, int, str]] = []
        for length, names in self._by_length.items():
            allowed = allowed_edits(length)
            if abs(length - len(name)) > allowed:
                continue
            for place, candidate, other, other_letters in names:
                # An edit adds one letter at most and takes one: most names end here, cheaply.
                if len(letters ^ other_letters) <= 2 * allowed:
                    distance = edits(upper, other, allowed)
                    if distance is not None:
                        found.append((distance, place, candidate))
        return min(found)[2] if found else None


def allowed_edits(length: int) -> int:
    """Return how many edits away from a name of that length still count as close."""
    return 2 if length >= LONG_NAME else 1


def edits(one: str, other: str, most: int) -> int | None:
    """Return the edits between two texts; None when there are more than `most`.

    A letter that is inserted, left out, replaced, or swapped with its neighbour is one edit.
    """
    if one == other:
        return 0
    if not most:
        return None
    # No cheaper way begins before the first difference, so only the four ways over it are tried.
    pairs = enumerate(zip(one, other, strict=False))
    shorter = min(len(one), len(other))
    at = next((at for at, (letter, counterpart) in pairs if letter != counterpart), shorter)
    ways = (edits(a, b, most - 1) for a, b in _ways(one[at:], other[at:]))
    return min((1 + way for way in ways if way is not None), default=None)


def _ways(one: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield what is left of two texts, whose first letters differ, after each possible edit."""
    yield one[1:], other[1:]
    yield one[1:], other
    yield one, other[1:]
    if one[:2] == other[1::-1]:
        yield one[2:], other[2:]


def _without_service_links(names: Iterable[str]) -> Iterator[str]:
    names = frozenset(names)
    services = {name.removesuffix(_SERVICE_HOST) for name in names if name.endswith(_SERVICE_HOST)}
    for name in names:
        if not any(name[: link.start()] in services for link in _LINK.finditer(name)):
            yield name
