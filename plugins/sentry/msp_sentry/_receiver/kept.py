"""Kept: the envelopes that arrived, in a folder."""

from __future__ import annotations

import collections
import threading
import time
from pathlib import Path
from typing import Any, Final

from msp_sentry._receiver.envelope import Item, parse_envelope

# Envelopes; the oldest make room for new ones.
KEPT: Final = 1000


class Kept:
    """Envelopes and their items, oldest first; safe to use from any thread.

    Args:
        folder: one file per envelope, as it arrived, named by its time. What is there already is
            read.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._adding = threading.Lock()
        self._last = 0
        self._items = {
            path: parse_envelope(path.read_bytes()) for path in sorted(folder.glob("*.envelope"))
        }

    def add(self, data: bytes) -> tuple[Item, ...]:
        """Keep an envelope.

        Raises:
            EnvelopeError: it is none.
        """
        items = parse_envelope(data)
        with self._adding:
            self._last = max(time.time_ns(), self._last + 1)  # clocks stand still, or go back
            path = self._folder / f"{self._last:020}.envelope"
            partial = path.with_suffix(".part")
            partial.write_bytes(data)
            partial.replace(path)
            # Changed as a whole: readers take no lock.
            self._items = {**self._items, path: items}
            self._forget()
        return items

    def payloads(self, kind: str) -> list[Any]:
        """Return the payloads of all items of a type."""
        return [item.payload for each in self._items.values() for item in each if item.type == kind]

    def counts(self) -> dict[str, int]:
        """Return how many items of each type there are."""
        kinds = (item.type for items in self._items.values() for item in items)
        return dict(collections.Counter(kinds))

    def _forget(self) -> None:
        for path in list(self._items)[:-KEPT]:
            self._items = {other: self._items[other] for other in self._items if other != path}
            path.unlink()
