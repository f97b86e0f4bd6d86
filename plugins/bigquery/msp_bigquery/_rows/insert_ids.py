"""InsertIds: makes ids by which BigQuery recognises a row that it was sent before."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator

from msp_core.authoring import PerProcess

_RANDOM = 12  # bytes; no two processes may draw the same


class InsertIds:
    """Gives an id that no other row has, in this process or any other.

    A random number for each process and a count: a random number for each row would be a system
    call for each, which lets other threads in, and costs a third of the rows a second.
    """

    def __init__(self) -> None:
        self._ids = PerProcess(_count_ids)

    def make(self) -> Iterator[str]:
        """Return the ids of this process, endless and for all threads."""
        return self._ids.get()


def _count_ids() -> Iterator[str]:
    prefix = secrets.token_urlsafe(_RANDOM)
    return map(f"{prefix}-{{}}".format, itertools.count())
