"""ExecutionContexts: what plugins put around the execution of a job."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from msp_core._life.holding import Holding
from msp_core._life.ledger import Ledger
from msp_core._plugins.declaration import DeclaredPlugin
from msp_core._text.failure import describe
from msp_core.assembly import Assembly
from msp_core.contract import JobContract
from msp_core.deadline import Deadline
from msp_core.errors import StopTimeoutError

logger = logging.getLogger("msp.job")

# Seconds that entering one may hold up the job; it goes on in the background then.
ENTER_LIMIT = 5.0


class ExecutionContexts:
    """The plugins' context managers, entered in order and left in reverse; none fails the job.

    Args:
        assembly: whose plugins are asked.
        variables: the context variables of the execution; those that are set here are seen there.

    Attributes:
        stuck: whether one of them did not let itself be left.
    """

    def __init__(self, assembly: Assembly, variables: contextvars.Context) -> None:
        self._assembly = assembly
        self._variables = variables
        self._held: list[Holding] = []
        self.stuck = False

    async def enter(self, contract: JobContract) -> None:
        """Enter all of them, those of telemetry first."""
        integrations = self._assembly.integrations
        telemetry = {each.plugin.name for each in integrations if each.record.telemetry}
        executions = self._assembly.plugins.job_executions(contract)
        for plugin, make in sorted(executions, key=lambda pair: pair[0].name not in telemetry):
            await self._enter(plugin, make)

    async def _enter(
        self,
        plugin: DeclaredPlugin,
        make: Callable[[], AbstractAsyncContextManager[Any] | None],
    ) -> None:
        limit = asyncio.timeout(ENTER_LIMIT)
        try:
            async with limit:
                context = make()
                if context is not None:
                    holding = Holding(f"{plugin.name} execution", context, self._variables)
                    # Before it is entered: after a timeout it may still be, and must be left.
                    self._held.append(holding)
                    await holding.open()
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises
            slow = f"is not entered after {ENTER_LIMIT:g} s, the job goes on without it"
            why = slow if limit.expired() else f"was not entered: {describe(error)}"
            cause = None if limit.expired() else error.__cause__ or error
            _warn("msp_job_execution of %s %s", plugin.owner, why, cause=cause)

    async def leave(self, deadline: Deadline, ledger: Ledger, outcome: Exception | None) -> None:
        """Leave all that were entered; the outcome goes through each of them."""
        while self._held:
            share = deadline.share(len(self._held))
            holding = self._held.pop()
            error = await ledger.measure(holding.name, holding.close(share, outcome), share)
            if isinstance(error, StopTimeoutError):
                self.stuck = True
                logger.error("%s", error, extra={"stack": error.stack})
            elif error is not None:
                _warn("%s", describe(error), cause=error.__cause__)


def _warn(text: str, *arguments: object, cause: BaseException | None) -> None:
    logger.warning(text, *arguments, exc_info=cause)
