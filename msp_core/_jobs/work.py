"""RunningJob: a job's work that is under way, and how it came out."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any

from msp_core._life.stop_request import StopReason, StopRequest
from msp_core._text.stacks import task_stack, thread_stacks
from msp_core.deadline import Deadline
from msp_core.errors import (
    ConfigError,
    JobCancelledError,
    JobDeadlineError,
    PermanentError,
    StopTimeoutError,
)

# The work is done; it raised; another execution is doing it; its time is nearly over.
COMPLETION = StopReason("completion")
FAILURE = StopReason("failure")
HELD_LOCK = StopReason("held lock")
DEADLINE = StopReason("deadline", early=True)

# What says itself how the work ended: never replaced by the reason of the stop.
_SAY_THEMSELVES = (ConfigError, JobCancelledError, JobDeadlineError, PermanentError)


def early_end(stop: StopRequest) -> JobCancelledError | JobDeadlineError:
    """Return the error that says why the execution was ended."""
    if stop.reason == DEADLINE:
        return JobDeadlineError("execution exceeded its deadline")
    by = stop.reason.text if stop.reason.early else "itself"
    return JobCancelledError(f"execution cancelled by {by}")


class RunningJob:
    """The work of one execution, started; watches over its end.

    Args:
        work: started at once, as a task of its own.
        stop: says whether the work is to end early.
        variables: the context variables it runs with.
    """

    def __init__(
        self, work: Coroutine[Any, Any, Any], stop: StopRequest, variables: contextvars.Context
    ) -> None:
        self._stop = stop
        self._hung: StopTimeoutError | None = None
        self._task: asyncio.Task[Any] = asyncio.create_task(
            _explain_cancellation(work, stop), name="execution", context=variables
        )

    @property
    def over(self) -> bool:
        """Whether the work has ended, however."""
        return self._task.done()

    async def wait_ended(self) -> None:
        """Wait until the work is over, however it ends; raises nothing of its own."""
        await asyncio.wait({self._task})

    async def stop(self, deadline: Deadline) -> None:
        """Wait for the end of the work; cancel it when the stop was asked for from outside.

        Raises:
            StopTimeoutError: not over by the deadline.
        """
        # Any other stop follows from the end of the work itself, which is then only finishing.
        if self._stop.reason.early:
            self._task.cancel()
        pending = (await asyncio.wait({self._task}, timeout=deadline.remaining()))[1]
        if pending:
            what, stack = "execution did not end in time", self._stack()
            # Kept: a task that still runs cannot be asked how it ended.
            self._hung = StopTimeoutError(what, routine="execution", stack=stack)
            raise self._hung

    def _stack(self) -> str:
        """Return where the work hangs: its task, and what it may have left in threads."""
        own = frozenset({threading.get_ident()})
        return f"{task_stack(self._task)}\n{thread_stacks(without=own)}"

    def summary(self) -> Any:  # noqa: ANN401 - of the job's own shape
        """Return what the work returned; it must have succeeded."""
        return self._task.result()

    def error(self) -> Exception | None:
        """Return how the work failed; None when it succeeded.

        Work that was asked to end early and returned, or raised something, was cut short.
        """
        if self._hung is not None:
            return self._hung
        failure = None if self._task.cancelled() else self._task.exception()
        if not self._stop.reason.early or isinstance(failure, _SAY_THEMSELVES):
            return failure  # type: ignore[return-value]  # what is no Exception has ended it early
        error = early_end(self._stop)
        error.__cause__ = failure
        return error


async def _explain_cancellation(work: Coroutine[Any, Any, Any], stop: StopRequest) -> Any:  # noqa: ANN401 - what the work returns
    """Run the work; say why it was cancelled, for plugins and logs."""
    try:
        return await work
    except asyncio.CancelledError as cancelled:
        raise early_end(stop) from cancelled
