"""Inflight: the requests being served, to be named when they do not end in time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msp_core.http._exchange import Exchange

# What is being served where this is read.
_current: ContextVar[Exchange] = ContextVar("current_exchange")


class Inflight:
    """The requests of one server that are being served, oldest first."""

    def __init__(self) -> None:
        self._exchanges: dict[Exchange, None] = {}

    def __iter__(self) -> Iterator[Exchange]:
        """Iterate over the requests as they are now."""
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        """Return how many there are now."""
        return len(self._exchanges)

    def count_in(self, exchange: Exchange) -> None:
        """Count a request in, which is the current one of this context from now on."""
        self._exchanges[exchange] = None
        _current.set(exchange)

    def count_out(self, exchange: Exchange) -> None:
        """Count a request out that was counted in."""
        del self._exchanges[exchange]
        # The task holds its context, and that the exchange: a circle for each request would be left
        # to the garbage collector, which costs more than all else here.
        exchange.task = None


def note_thread() -> None:
    """Note that the current request is being served by the current thread."""
    _current.get().thread = threading.get_ident()
