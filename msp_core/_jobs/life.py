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
        with self._watch_deadline():
            return await super().live()

    @property
    def stuck(self) -> bool:
        """Whether something hangs that would keep the event loop from being closed."""
        return super().stuck or self._contexts.stuck

    @contextmanager
    def _watch_deadline(self) -> Iterator[None]:
        """Ask for the end a margin before the deadline, by a thread: the loop may be stuck."""
        deadline, limit = self._contract.execution.deadline, self._contract.execution.time_limit
        if deadline is None or limit is None:
            yield
            return
        margin = _budget.job_margin(self._stop.budget, limit)
        # For every stop: a signal near the end must not give it a whole budget beyond the kill.
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
        self._assembly.costs.finish()
        # With the execution's variables, here and below: these lines belong into its trace.
        self._variables.run(self._outcome.log_start, self._contract.name, self._circumstances())
        self._running = RunningJob(self._work(), self._stop, self._variables)

    async def _work(self) -> Any:  # noqa: ANN401 - a summary of the job's own shape
        assembly, contract = self._assembly, self._contract
        async with job_lock(assembly, contract, partial(stop_early, self._stop)):
            summary = await assembly.hooks.execute(contract, assembly.config)
            # While the lock is held, and before any other step: from here on neither a signal nor
            # a lost lock turns work that is done into work that was cut short.
            self._stop.ask(COMPLETION)
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
            await self._ledger.measure("execution", self._running.stop(by), by)
        # Before the contexts are left: the line still belongs into what they trace and report.
        error = self._log_outcome(self._running)
        # Work that another execution is doing is no failure of this one.
        passed = None if isinstance(error, LockHeldError) else error
        await self._contexts.leave(deadline.share(2), self._ledger, passed)

    def _log_outcome(self, running: RunningJob | None) -> Exception | None:
        """Log and keep how the execution came out; a start that failed has been logged."""
        if self._errors:
            return self._errors[0]
        if running is None:
            return self._fail(early_end(self._stop))
        error = running.error()
        if error is not None:
            return self._fail(error)
        self._variables.run(self._outcome.log_success, running.summary())
        return None

    def _fail(self, error: Exception) -> Exception:
        self._variables.run(self._outcome.log_failure, error)
        self._errors.append(error)
        return error
