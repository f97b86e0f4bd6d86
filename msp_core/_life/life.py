"""Life: a service or a job, from its first opened resource to its last closed one."""

from __future__ import annotations

import abc
import asyncio
import logging
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, cast

from msp_core import _budget
from msp_core._life.exit_code import exit_code
from msp_core._life.process import Process
from msp_core._life.resources import Resources
from msp_core._life.stop_request import StopReason, stop_early
from msp_core._start.collector import resume_collections
from msp_core._text.durations import round_seconds
from msp_core._text.failure import log_failure
from msp_core._text.for_people import CONSOLE, ForPeople
from msp_core._text.stacks import task_stack
from msp_core.assembly import Assembly
from msp_core.deadline import Deadline
from msp_core.errors import RoutineError, StopTimeoutError
from msp_core.routines._calls import contain_exit

start_logger = logging.getLogger("msp.start")
stop_logger = logging.getLogger("msp.stop")

FAILED_START = StopReason("failed start")


class Work(Protocol):
    """What a life is about: something that runs and may end by itself."""

    async def wait_ended(self) -> None:
        """Wait until it is over."""


WorkT = TypeVar("WorkT", bound=Work)


class Life(abc.ABC, Generic[WorkT]):
    """Everything between the configuration and the exit code.

    Args:
        assembly: without problems.
        process: whose request to stop ends the wait; its ledger is filled by the stop.
    """

    def __init__(self, assembly: Assembly, process: Process) -> None:
        self._assembly = assembly
        self._logs = process.logs
        self._stop = process.stop
        self._ledger = process.ledger
        contract = assembly.contract(
            process.logs.scrub,
            ending=lambda: process.stop.reason.early,
            stop=partial(stop_early, process.stop),
        )
        self._resources = Resources(assembly, contract)
        self._running: WorkT | None = None
        self._errors: list[Exception] = []
        self._announced = False

    async def live(self) -> int:
        """Start, wait, stop; return the exit code."""
        # In a task of its own, so that a stop can cancel the start and nothing else.
        starting = asyncio.create_task(self._start(), name="start")
        await self._wait_unless_stopped(asyncio.wait({starting}))
        await self._settle(starting)
        # A start that failed late may have left something running: `_shut_down` ends it.
        if self._running is not None and not self._errors:
            await self._wait_unless_stopped(self._running.wait_ended())
            # Before the stop ends what runs: afterwards an early end looks like any other.
            self._note_end(self._running)
        await self._shut_down()
        code = exit_code(*self._errors)
        self._log_ledger(code)
        return code

    def interrupt(self, end: BaseException) -> None:
        """Ask for the stop after a task, or a callback, raised what ends an event loop.

        That is `SystemExit`, or `KeyboardInterrupt` where a library put back Python's own handler
        of SIGINT. The loop is sound, and goes on to stop everything in order.
        """
        if isinstance(end, KeyboardInterrupt):
            self._stop.ask(StopReason("KeyboardInterrupt", early=True))
            return
        log_failure(stop_logger, "a task called sys.exit", end)
        self._stop.ask(StopReason("sys.exit in a task", early=True))

    @property
    def stuck(self) -> bool:
        """Whether something hangs that would keep the event loop from being closed."""
        return any(isinstance(error, StopTimeoutError) for error in self._errors)

    @abc.abstractmethod
    async def _begin(self) -> None:
        """Start what the life is about, and keep it as `_running`."""

    @abc.abstractmethod
    def _note_end(self, running: WorkT) -> None:
        """Ask for the stop when that is over although nobody stopped it."""

    @abc.abstractmethod
    async def _end(self, deadline: Deadline) -> None:
        """End it, by a share of the time until the deadline; resources are closed afterwards."""

    async def _start(self) -> None:
        """Open the resources, then begin."""
        with contain_exit("the start"):
            # Outside the part: without telemetry there is nothing yet that could trace it.
            await self._resources.open_telemetry()
            with self._part("start"):
                await self._resources.open(self._part)
                for processor in self._assembly.plugins.log_processors(self._resources.contract):
                    self._logs.add_processor(processor)
                await self._begin()
        # Here, and not later: what a request makes is to be collected.
        resume_collections()

    def _part(self, name: str) -> AbstractContextManager[None]:
        """Return what plugins put around a part of the start."""
        return self._assembly.plugins.start_part(self._resources.contract, name)

    async def _wait_unless_stopped(self, event: Awaitable[Any]) -> None:
        """Wait for the event or for a request to stop, whichever comes first."""
        tasks = {asyncio.ensure_future(event), asyncio.ensure_future(self._stop.wait())}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        # Ends the waiting alone: the start, and what runs, are waited for by `asyncio.wait`.
        for task in tasks:
            task.cancel()
        self._announce_stop()

    def _announce_stop(self) -> None:
        """Say once, as soon as a signal came, what the stop waits for: it may take all its time."""
        if self._announced or not self._stop.signalled:
            return
        self._announced = True
        requests = sum(count() for count in self._resources.contract.diagnostics.inflight)
        plural = "" if requests == 1 else "s"
        text = f"stopping: {requests} request{plural} in flight" if requests else "stopping"
        shown = ForPeople(f"{text}, Ctrl-C again to leave")
        fields = {
            "reason": self._stop.reason.text,
            "requests": requests,
            "budget": self._stop.budget,
        }
        stop_logger.info(text, extra={CONSOLE: shown, **fields})

    async def _settle(self, starting: asyncio.Task[None]) -> None:
        """Note a start that failed; abandon one that a request to stop has overtaken."""
        if not starting.done():
            starting.cancel()
            seconds = _budget.abandoned_start(self._stop.ask().remaining())
            deadline = Deadline.after(seconds)
            hung = await self._ledger.measure("start", _wait_for_end(starting, deadline), deadline)
            if hung:
                self._note(hung)
        elif error := _find_failure(starting):
            self._errors.append(error)
            log_failure(start_logger, f"{self._assembly.kind} failed to start", error)
            self._stop.ask(FAILED_START)

    async def _shut_down(self) -> None:
        """End the work, close the resources; one failure stops none of the others."""
        deadline = self._stop.ask()
        # Kept back first: whatever hangs below, the lines that say so must still be written.
        deadline = Deadline(deadline.when - _budget.last_lines(deadline.remaining()))
        # Before anything stops: load balancers must see it while requests are still answered.
        self._resources.health.draining = True
        # Before the resources: what still runs needs them until it is over.
        await self._end(deadline)
        await self._resources.close(deadline, self._ledger, self._note)

    def _note(self, error: RoutineError) -> None:
        """Keep and log an error of the stop."""
        self._errors.append(error)
        log_failure(stop_logger, "stop failed", error)

    def _circumstances(self) -> dict[str, Any]:
        """Return what the first line of a life says: where, and with what."""
        contract = self._resources.contract
        enabled = [each.record.name for each in self._assembly.integrations if each.enabled]
        return {
            "msp": contract.msp,
            "platform": contract.platform.value,
            "sentry": "sentry" in enabled,
            "integrations": enabled,
            "start": self._assembly.costs.records(),
        }

    def _log_ledger(self, code: int) -> None:
        seconds = sum(step.seconds for step in self._ledger.steps)
        kind, reason = self._assembly.kind, self._stop.reason.text
        text = f"{kind} stopped by {reason} in {seconds:.2f} s: {self._ledger}"
        stop_logger.log(
            logging.ERROR if code else logging.INFO,
            text,
            extra={
                CONSOLE: ForPeople(f"{text}; exit code {code}" if code else text),
                "reason": reason,
                "exit_code": code,
                "seconds": round_seconds(seconds),
                "steps": self._ledger.records(),
            },
        )


def _find_failure(starting: asyncio.Task[None]) -> Exception | None:
    """Return what ended the start; None when it did all it had to."""
    if starting.cancelled():  # by itself, as when it awaited a task that somebody cancelled
        return RoutineError("it was cancelled, though nobody asked for a stop", routine="start")
    return cast("Exception | None", starting.exception())


async def _wait_for_end(starting: asyncio.Task[None], deadline: Deadline) -> None:
    """Wait for a cancelled start to be over; how it ended is of no interest to a stop."""
    await asyncio.wait({starting}, timeout=deadline.remaining())
    if not starting.done():
        what, stack = "the start did not end in time", task_stack(starting)
        raise StopTimeoutError(what, routine="start", stack=stack)
