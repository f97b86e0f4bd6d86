"""JobLife: a job, from its first opened resource to its last closed one."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from msp_core import _budget
from msp_core._jobs.contexts import ExecutionContexts
from msp_core._jobs.lock import job_lock
from msp_core._jobs.log import Outcome
from msp_core._jobs.work import (
    COMPLETION,
    DEADLINE,
    FAILURE,
    HELD_LOCK,
    RunningJob,
    early_end,
)
from msp_core._life.life import Life
from msp_core._life.process import Process
from msp_core._life.stop_request import stop_early
from msp_core.assembly import Assembly
from msp_core.contract import JobContract
from msp_core.deadline import Deadline
from msp_core.errors import LockHeldError


class JobLife(Life[RunningJob]):
    """The life that is about one execution.

    Args:
        assembly: as for `Life`.
        process: as for `Life`.
    """

    def __init__(self, assembly: Assembly, process: Process) -> None:
        super().__init__(assembly, process)
        self._stop.second_signal_code = 1  # 0 would tell the platform that the work is done
        self._contract = cast("JobContract", self._resources.contract)
        self._variables = contextvars.copy_context()
        self._contexts = ExecutionContexts(assembly, self._variables)
        reported = bool(self._circumstances()["sentry"])
        self._outcome = Outcome(self._contract.execution, reported=reported)

    async def live(self) -> int:
        """Live, and end early when the deadline comes near."""
        with self._limited():
            return await super().live()

    @property
    def stuck(self) -> bool:
        """Whether something hangs that would keep the event loop from being closed."""
        return super().stuck or self._contexts.stuck

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Ask for the end a margin before the deadline, by a thread: the loop may be stuck."""
        deadline, limit = self._contract.execution.deadline, self._contract.execution.time_limit
        if deadline is None or limit is None:
            yield
            return
        margin = _budget.job_margin(self._stop.budget, limit)
        self._stop.limit = Deadline(deadline.when - _budget.unused_margin(margin))
        wait = deadline.remaining() - margin
        timer = threading.Timer(wait, self._stop.ask, (DEADLINE,))
        timer.name = "msp-deadline"
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    async def _begin(self) -> None:
        """Enter what plugins put around the execution, and start the work."""
        await self._contexts.enter(self._contract)
        self._variables.run(self._outcome.starting, self._contract.name, self._circumstances())
        self._running = RunningJob(self._work(), self._stop, self._variables)

    async def _work(self) -> Any:  # noqa: ANN401 - a summary of the job's own shape
        assembly, contract = self._assembly, self._contract
        async with job_lock(assembly, contract, partial(stop_early, self._stop)):
            summary = await assembly.hooks.execute(contract, assembly.config)
            self._stop.ask(COMPLETION)  # a signal comes too late from here on
        return summary

    def _note_end(self, running: RunningJob) -> None:
        """Ask for the stop when the work failed; it has done so itself when it succeeded."""
        if running.over:
            held = isinstance(running.error(), LockHeldError)
            self._stop.ask(HELD_LOCK if held else FAILURE)

    async def _end(self, deadline: Deadline) -> None:
        """End the work, say how it came out, and leave what plugins put around it."""
        if self._running is not None:
            by = Deadline.after(_budget.work(deadline.remaining()))
            await self._ledger.timed("execution", self._running.stop(by), by)
        error = self._judged(self._running)
        passed = None if isinstance(error, LockHeldError) else error
        await self._contexts.leave(deadline.share(2), self._ledger, passed)

    def _judged(self, running: RunningJob | None) -> Exception | None:
        """Log and keep how the execution came out; a start that failed has been logged."""
        if self._errors:
            return self._errors[0]
        if running is None:
            return self._failed(early_end(self._stop))
        error = running.error()
        if error is not None:
            return self._failed(error)
        self._variables.run(self._outcome.succeeded, running.summary())
        return None

    def _failed(self, error: Exception) -> Exception:
        self._variables.run(self._outcome.failed, error)
        self._errors.append(error)
        return error
