"""Routine: the protocol of a long-running part of a service."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msp_core.deadline import Deadline


@runtime_checkable
class Routine(Protocol):
    """A long-running part of a service.

    Called in this order, each once: `start`, then `stop`, usually while `start` still runs. A
    routine that takes a while to come up also has `async def wait_started(self) -> None`; the
    service is not ready before that returns.
    """

    @property
    def name(self) -> str:
        """What logs, errors and the ledger call it."""
        ...

    async def start(self) -> None:
        """Run until stopped. Returning or raising before `stop` was called stops the service."""
        ...

    async def stop(self, deadline: Deadline) -> None:
        """Finish what is in flight and make `start` return, before the deadline.

        Raises:
            Exception: the stop failed; everything else is still stopped, the exit code is not 0.
        """
        ...


async def wait_started(routine: Routine) -> None:
    """Wait until the routine is up; at once for one that does not say."""
    wait = getattr(routine, "wait_started", None)
    if wait is not None:
        await wait()
