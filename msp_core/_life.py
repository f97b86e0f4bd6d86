"""Life: one service from its first opened resource to its last closed one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from msp_core._process import Process
from msp_core._resources import Resources
from msp_core._running import Running, describe
from msp_core._stacks import task_stack
from msp_core.assembly import Assembly
from msp_core.contract import ServiceContract
from msp_core.deadline import Deadline
from msp_core.errors import ConfigError, MSPError, RoutineError, StopTimeoutError
from msp_core.platforms import Platform

start_logger = logging.getLogger("msp.start")
stop_logger = logging.getLogger("msp.stop")

ROUTINES_SHARE = 2 / 3
"""Of the budget, for drain and routines; the rest closes resources and flushes telemetry."""

LAST_LINES = 0.3
"""Seconds kept back for the ledger line and the flush of the logs."""

OnReady = Callable[[ServiceContract], None]


class Life:
    """Everything between the configuration and the exit code.

    Args:
        assembly: without problems.
        process: whose request to stop ends the wait; its ledger is filled by the stop.
        on_ready: called once, when the service is ready.
    """

    def __init__(self, assembly: Assembly, process: Process, on_ready: OnReady | None) -> None:
        self._assembly = assembly
        self._logs = process.logs
        self._stop = process.stop
        self._ledger = process.ledger
        self._on_ready = on_ready
        self._resources = Resources(assembly, process.logs.scrub)
        self._running: Running | None = None
        self._errors: list[Exception] = []

    async def live(self) -> int:
        """Start, wait, stop; return the exit code."""
        starting = asyncio.create_task(self._start(), name="start")
        await self._first(asyncio.wait({starting}))
        await self._settle(starting)
        if self._running is not None and not self._errors:
            await self._first(self._running.ended())
            self._note_death(self._running)
        await self._shut_down()
        code = exit_code(self._errors)
        self._log_ledger(code)
        return code

    async def _start(self) -> None:
        """Open the resources, initialise the service, start its routine, wait until it is up."""
        began = time.monotonic()
        await self._resources.open()
        contract = cast("ServiceContract", self._resources.contract)
        for processor in self._assembly.plugins.log_processors(contract):
            self._logs.add_processor(processor)
        routine = await self._assembly.hooks.initialize(contract, self._assembly.config)
        self._running = Running(routine)
        await self._running.started()
        self._resources.health.started = True
        self._log_started(contract, time.monotonic() - began)
        if self._on_ready is not None:
            self._on_ready(contract)

    async def _first(self, event: Awaitable[Any]) -> None:
        """Wait for the event or for a request to stop."""
        tasks = {asyncio.ensure_future(event), asyncio.ensure_future(self._stop.wait())}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()

    async def _settle(self, starting: asyncio.Task[None]) -> None:
        """Note a start that failed; abandon one that a request to stop has overtaken."""
        if not starting.done():
            starting.cancel()
            deadline = self._stop.ask("").share(3)
            hung = await self._ledger.timed("start", _abandoned(starting, deadline), deadline)
            self._errors += [hung] if hung else []
        elif error := starting.exception():
            self._errors.append(cast("Exception", error))
            log_failure(start_logger, f"{self._assembly.kind} failed to start", error)
            self._stop.ask("failed start")

    def _note_death(self, running: Running) -> None:
        """Ask for the stop when the routine is over although nobody stopped it."""
        death = running.death()
        if death is not None and not self._stop.reason:
            self._errors.append(death)
            log_failure(start_logger, "stopping the service", death)
            self._stop.ask(f'routine "{death.routine}"')

    async def _shut_down(self) -> None:
        """Drain, stop the routine, close the resources; one failure stops none of the others."""
        deadline = self._stop.ask("")
        deadline = Deadline(deadline.when - LAST_LINES)
        self._resources.health.draining = True
        if self._running is not None:
            by = Deadline.after(deadline.remaining() * ROUTINES_SHARE)
            await self._drain(self._running, by)
            name = self._running.routine.name
            if error := await self._ledger.timed(name, self._running.stop(by), by):
                self._note(error)
        await self._resources.close(deadline, self._ledger, self._note)

    async def _drain(self, running: Running, by: Deadline) -> None:
        """Go on accepting for the platform's window; a routine that is over needs none."""
        core = self._assembly.core
        given = None if core is None else core.drain_window
        window = Platform.of(self._assembly.environ).drain_window if given is None else given
        if self._errors or not window:
            return
        share = min(window, by.remaining())
        ended = asyncio.wait_for(running.ended(), share)
        await self._ledger.timed("drain", _unless_late(ended), Deadline.after(share))

    def _note(self, error: RoutineError) -> None:
        """Keep an error of the stop; one that hung has been logged with its stack."""
        self._errors.append(error)
        if not isinstance(error, StopTimeoutError):
            log_failure(stop_logger, "stop failed", error)

    def _log_started(self, contract: ServiceContract, seconds: float) -> None:
        configured = [each.record.name for each in self._assembly.integrations if each.configured]
        start_logger.info(
            "service started",
            extra={
                "port": contract.port,
                "msp": contract.msp,
                "platform": contract.platform.value,
                "sentry": "sentry" in configured,
                "integrations": configured,
                "seconds": round(seconds, 4),
            },
        )

    def _log_ledger(self, code: int) -> None:
        seconds = sum(step.seconds for step in self._ledger.steps)
        stop_logger.log(
            logging.ERROR if code else logging.INFO,
            "%s stopped by %s in %.2f s: %s",
            self._assembly.kind,
            self._stop.reason,
            seconds,
            self._ledger,
            extra={
                "reason": self._stop.reason,
                "exit_code": code,
                "seconds": round(seconds, 4),
                "steps": self._ledger.records(),
            },
        )


async def _abandoned(starting: asyncio.Task[None], deadline: Deadline) -> None:
    """Wait for a cancelled start to be over."""
    await asyncio.wait({starting}, timeout=deadline.remaining())
    if not starting.done():
        extra = {"stack": task_stack(starting)}
        stop_logger.error("the start did not end in time", extra=extra)
        raise StopTimeoutError("the start did not end in time", routine="start")


async def _unless_late(wait: Awaitable[None]) -> None:
    try:
        await wait
    except TimeoutError:
        return


def exit_code(errors: list[Exception]) -> int:
    """Return 0 without errors, 78 or 70 when one of them says so, else 1."""
    codes = (
        error.exit_code if isinstance(error, ConfigError | StopTimeoutError) else 1
        for error in errors
    )
    return max(codes, default=0)


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log a failure once, with the traceback of its cause.

    An error raised on purpose without a cause has none: its text says all there is.
    """
    cause = error.__cause__ if isinstance(error, MSPError) else error
    logger.error("%s: %s", what, describe(error), exc_info=cause)
