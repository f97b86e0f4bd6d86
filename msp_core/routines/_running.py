"""Running: a routine whose start is under way."""

from __future__ import annotations

import asyncio

from msp_core._text.failure import describe
from msp_core._text.stacks import task_stack
from msp_core.deadline import Deadline
from msp_core.errors import EarlyReturnError, RoutineError, StopTimeoutError
from msp_core.routines._calls import call
from msp_core.routines._routine import Routine, wait_started


class Running:
    """One routine, started; watches over its end.

    Args:
        routine: started at once, as a task of its own.
    """

    def __init__(self, routine: Routine) -> None:
        self.routine = routine
        self._death_reported = False
        self._task: asyncio.Task[None] = asyncio.create_task(
            call(routine.start), name=f"routine {routine.name}"
        )

    async def wait_started(self) -> None:
        """Wait until the routine is up.

        Raises:
            RoutineError: it ended before.
        """
        up = asyncio.create_task(wait_started(self.routine))
        try:
            await asyncio.wait({up, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:  # also when a stop cuts the wait short: nobody would end the task then
            if not up.cancel():
                up.exception()  # looked at, else asyncio logs it beside the error raised below
        if death := self.death():
            raise death
        up.result()

    async def wait_ended(self) -> None:
        """Wait until the routine's `start` is over, however it ends; raises nothing of its own."""
        await asyncio.wait({self._task})

    def death(self) -> RoutineError | None:
        """Return why the routine is over although nobody stopped it; None while it runs.

        What was returned here, `stop` does not raise again.
        """
        if not self._task.done():
            return None
        self._death_reported = True
        name = self.routine.name
        if self._task.cancelled():
            return RoutineError(f'routine "{name}" was cancelled', routine=name)
        cause = self._task.exception()
        if cause is None:
            return EarlyReturnError(
                f'routine "{name}" returned before it was stopped', routine=name
            )
        if isinstance(cause, RoutineError):
            return cause
        error = RoutineError(f'routine "{name}" failed: {describe(cause)}', routine=name)
        error.__cause__ = cause
        return error

    async def stop(self, deadline: Deadline) -> None:
        """Stop the routine and wait for its `start` to return.

        Raises:
            StopTimeoutError: not over by the deadline; it says where.
            RoutineError: `stop` raised, or `start` did on its way out.
        """
        stopping: asyncio.Task[None] = asyncio.create_task(
            call(self.routine.stop, deadline), name=f"stop routine {self.routine.name}"
        )
        # Alone first: whether `start` is to be cancelled depends on how this one ends.
        await asyncio.wait({stopping}, timeout=deadline.remaining())
        if _failure_of(stopping):
            self._task.cancel()  # a `stop` that failed will not make it return any more
        tasks = {stopping, self._task}
        pending = (await asyncio.wait(tasks, timeout=deadline.remaining()))[1]
        if pending:
            raise self._give_up(stopping if stopping in pending else self._task)
        for task in (stopping,) if self._death_reported else (stopping, self._task):
            self._raise_failure(task)

    def _raise_failure(self, task: asyncio.Task[None]) -> None:
        error = _failure_of(task)
        if isinstance(error, EarlyReturnError):
            return  # of a member of a group, which asked for the stop itself
        if isinstance(error, RoutineError):
            raise error
        if error is not None:
            name = self.routine.name
            raise RoutineError(f'stop routine "{name}": {describe(error)}', routine=name) from error

    def _give_up(self, task: asyncio.Task[None]) -> StopTimeoutError:
        """Return where the task hangs, and cancel the routine."""
        name, stack = self.routine.name, task_stack(task)
        task.cancel()
        self._task.cancel()
        what = f'routine "{name}" did not stop in time'
        return StopTimeoutError(what, routine=name, stack=stack)


def _failure_of(task: asyncio.Task[None]) -> BaseException | None:
    """Return what a task ended with; None while it runs, and when it was cancelled."""
    return task.exception() if task.done() and not task.cancelled() else None
