"""CombinedRoutine, LIFOStopRoutine, FIFOStopRoutine: one routine made of several."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from msp_core.deadline import Deadline
from msp_core.errors import RoutineError, StopTimeoutError
from msp_core.routines._routine import Routine, wait_started
from msp_core.routines._running import Running

# Seconds that members are due before the group, so that the one that hangs is named, not the group
# that waits for it.
MARGIN = 0.05


class _RoutineGroup(ABC):
    """Routines that start together; how they stop is the subclass's matter."""

    def __init__(self, *routines: Routine) -> None:
        self.routines: tuple[Routine, ...] = routines
        self._running: list[Running] = []
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Start all together; run until stopped.

        Raises:
            RoutineError: one of them ended before it was stopped; the others still run.
        """
        self._running = [Running(routine) for routine in self.routines]
        watches = [asyncio.create_task(member.wait_ended()) for member in self._running]
        # The stop is an end of its own: members that end because of it have not failed.
        watches.append(asyncio.create_task(self._wait_stopped()))
        try:
            await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The watching alone: the members run until `stop` has stopped them.
            for watch in watches:
                watch.cancel()
        if not self._stopped.is_set():
            raise aggregate([death for member in self._running if (death := member.death())])

    async def _wait_stopped(self) -> None:
        await self._stopped.wait()

    async def wait_started(self) -> None:
        """Wait until all are up."""
        await asyncio.gather(*(wait_started(routine) for routine in self.routines))

    async def stop(self, deadline: Deadline) -> None:
        """Stop all, whatever one of them does.

        Raises:
            StopTimeoutError: at least one was not over by its deadline.
            RoutineError: at least one failed to stop.
        """
        # First: from here on the end of a member is no failure.
        self._stopped.set()
        errors = await self._stop_members(Deadline(deadline.when - MARGIN))
        if errors:
            raise aggregate(errors)

    @abstractmethod
    async def _stop_members(self, deadline: Deadline) -> list[RoutineError]:
        """Stop all; return what went wrong."""


class CombinedRoutine(_RoutineGroup):
    """Routines that start together and stop together."""

    @property
    def name(self) -> str:
        """`combined["a" "b"]`."""
        names = " ".join(f'"{routine.name}"' for routine in self.routines)
        return f"combined[{names}]"

    async def _stop_members(self, deadline: Deadline) -> list[RoutineError]:
        stops = (_stop(member, deadline) for member in self._running)
        return [error for error in await asyncio.gather(*stops) if error]


class LIFOStopRoutine(_RoutineGroup):
    """Routines that start together and stop one after the other, the last one first."""

    name: ClassVar[str] = "lifo"

    async def _stop_members(self, deadline: Deadline) -> list[RoutineError]:
        return await _stop_in_turn(self._running[::-1], deadline)


class FIFOStopRoutine(_RoutineGroup):
    """Routines that start together and stop one after the other, the first one first."""

    name: ClassVar[str] = "fifo"

    async def _stop_members(self, deadline: Deadline) -> list[RoutineError]:
        return await _stop_in_turn(self._running, deadline)


async def _stop_in_turn(members: Sequence[Running], deadline: Deadline) -> list[RoutineError]:
    """Stop one after the other; each has a fair share of the time left."""
    count = len(members)
    stops = [await _stop(member, deadline.share(count - i)) for i, member in enumerate(members)]
    return [error for error in stops if error]


async def _stop(member: Running, deadline: Deadline) -> RoutineError | None:
    try:
        await member.stop(deadline)
    except RoutineError as error:
        return error
    return None


def aggregate(errors: Sequence[RoutineError]) -> RoutineError:
    """Return one error that says them all; a `StopTimeoutError` when one of them is."""
    first, *others = errors
    if not others:
        return first
    names = ", ".join(error.routine for error in errors)
    hung = [error for error in errors if isinstance(error, StopTimeoutError)]
    partial = "; ".join(str(error) for error in errors if error not in hung)
    if not hung:
        return RoutineError(partial, routine=names, errors=errors)
    late = "; ".join(str(error) for error in hung)
    if partial:
        late = f"unable to stop routines gracefully with partial errors: {partial}: {late}"
    return StopTimeoutError(late, routine=names, errors=errors)
