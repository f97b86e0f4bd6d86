"""The garbage collector of a process while it starts.

By Python's own limits it looks again and again at what imports make, which stays as long as the
process: a sixth of the CPU time of a start, for next to nothing. Afterwards that is set aside, so
that no request waits until all of it was looked at.
"""

from __future__ import annotations

import gc

# New objects before a collection while a process starts; Python's own limit is below 3,000.
# What garbage there is stays bounded, as it would not be with the collector off.
YOUNG = 50_000

# What the limits were; empty except during a start.
_usual: list[tuple[int, int, int]] = []


def postpone_collections() -> None:
    """Let garbage wait during the start; nothing when the collector is off, or this was called."""
    limits = gc.get_threshold()
    if 0 < limits[0] < YOUNG:
        _usual.append(limits)
        gc.set_threshold(YOUNG, *limits[1:])


def resume_collections() -> None:
    """Collect as usual from now on, but never look at what the start made."""
    if not _usual:
        return
    gc.freeze()
    limits = _usual.pop()
    # Not where the service has set limits of its own meanwhile.
    if gc.get_threshold()[0] == YOUNG:
        gc.set_threshold(*limits)
