"""Routine: a long-running part of a service (skeleton; the rest is on its way)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msp_core.deadline import Deadline


@runtime_checkable
class Routine(Protocol):
    """A long-running part of a service.

    Called in this order, each once: `start`, then `stop`, possibly while `start` still runs.
    """

    @property
    def name(self) -> str:
        """What logs, errors and the ledger call it."""
        ...

    async def start(self) -> None:
        """Run until stopped. Returning or raising before `stop` was called stops the service."""
        ...

    async def stop(self, deadline: Deadline) -> None:
        """Finish what is in flight and make `start` return, before the deadline."""
        ...
