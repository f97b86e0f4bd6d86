"""ServiceLife: a service, from its first opened resource to its last closed one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import cast

from msp_core import _budget
from msp_core._life.life import Life, start_logger
from msp_core._life.process import Process
from msp_core._life.stop_request import StopReason
from msp_core._text.durations import format_seconds, seconds_since
from msp_core._text.failure import log_failure
from msp_core._text.for_people import CONSOLE, ForPeople
from msp_core.assembly import Assembly
from msp_core.contract import ServiceContract
from msp_core.deadline import Deadline
from msp_core.platforms import Platform
from msp_core.routines._running import Running

OnReady = Callable[[ServiceContract], None]


class ServiceLife(Life[Running]):
    """The life that is about a routine.

    Args:
        assembly: as for `Life`.
        process: as for `Life`.
        on_ready: called once, when the service is ready.
    """

    def __init__(self, assembly: Assembly, process: Process, on_ready: OnReady | None) -> None:
        super().__init__(assembly, process)
        self._on_ready = on_ready
        self._began = time.monotonic()

    async def _begin(self) -> None:
        """Initialise the service, start its routine, wait until it is up."""
        contract = cast("ServiceContract", self._resources.contract)
        costs = self._assembly.costs
        with self._part("initialize"), costs.measure("initialize"):
            routine = await self._assembly.hooks.initialize(contract, self._assembly.config)
        # Kept before it is up: a stop that comes meanwhile must stop it, too.
        self._running = Running(routine)
        with costs.measure("serve"):
            await self._running.wait_started()
        costs.finish()
        # Before anybody hears of it: who asks `/-/ready` then must find it green.
        self._resources.health.started = True
        seconds = seconds_since(self._began)
        circumstances = self._circumstances()
        shown = ", ".join(
            [f"service started in {format_seconds(seconds)}", *circumstances["integrations"]]
        )
        start_logger.info(
            "service started",
            extra={
                CONSOLE: ForPeople(shown),
                "port": contract.port,
                **circumstances,
                "seconds": seconds,
            },
        )
        if self._on_ready is not None:
            self._on_ready(contract)

    def interrupt(self, end: BaseException) -> None:
        """Ask for the stop; a call of `sys.exit` is a failure of the service."""
        if isinstance(end, SystemExit):
            self._errors.append(RuntimeError("a task called sys.exit"))
        super().interrupt(end)

    def _note_end(self, running: Running) -> None:
        """Ask for the stop when the routine is over although nobody stopped it.

        One that asked for the stop itself may be over by now: stopping it says how it ended.
        """
        if not self._stop.reason.text and (death := running.death()):
            self._errors.append(death)
            log_failure(start_logger, "stopping the service", death)
            self._stop.ask(StopReason(f'routine "{death.routine}"'))

    async def _end(self, deadline: Deadline) -> None:
        """Drain, and stop the routine."""
        if self._running is None:
            return
        by = Deadline.after(_budget.work(deadline.remaining()))
        await self._drain(self._running, by)
        name = self._running.routine.name
        if error := await self._ledger.measure(name, self._running.stop(by), by):
            self._note(error)

    async def _drain(self, running: Running, by: Deadline) -> None:
        """Go on accepting for the platform's window; a routine that is over needs none."""
        core = self._assembly.core
        given = None if core is None else core.drain_window
        window = Platform.of(self._assembly.environ).drain_window if given is None else given
        if self._errors or not window:
            return
        share = _budget.drain(window, by.remaining())
        # A routine that ends meanwhile accepts nothing any more: the rest is for the resources.
        drained = _wait_within(share, running.wait_ended())
        await self._ledger.measure("drain", drained, Deadline.after(share))


async def _wait_within(seconds: float, wait: Awaitable[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wait
