"""Resources: the integrations of one process, opened in order and closed in reverse."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from msp_core._life.holding import Holding
from msp_core._life.ledger import Ledger
from msp_core.assembly import AssembledIntegration, Assembly
from msp_core.contract import Contract
from msp_core.deadline import Deadline
from msp_core.errors import RoutineError
from msp_core.health import Check

logger = logging.getLogger("msp.start")


class Resources:
    """What was opened for one process.

    Args:
        assembly: whose configured integrations are opened.
        contract: of the assembly; gets the clients and the middleware.
    """

    def __init__(self, assembly: Assembly, contract: Contract) -> None:
        self._assembly = assembly
        self.contract = contract
        contract.opened.costs = assembly.costs
        self.health = contract.diagnostics.health
        self._held: list[Holding] = []
        self._of_parent: list[Holding] = []

    async def open_telemetry(self) -> None:
        """Open the integrations of telemetry, which see how the others are opened.

        Raises:
            Exception: what a plugin raises; what was opened stays so until `close`.
        """
        for integration in self._assembly.integrations:
            if integration.configured and integration.record.telemetry:
                await self._open(integration)

    async def open(
        self, part: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()
    ) -> None:
        """Open the other integrations in order, then ask the plugins for their parts.

        Args:
            part: (name) -> what is put around each of them. Default: nothing.

        Raises:
            Exception: as for `open_telemetry`.
        """
        for integration in self._assembly.integrations:
            if integration.configured and not integration.record.telemetry:
                with part(f"open {integration.record.name}"):
                    await self._open(integration)
        plugins = self._assembly.plugins
        diagnostics = self.contract.diagnostics
        for route in plugins.diagnostics_routes(self.contract, taken=diagnostics.paths):
            diagnostics.add_route(route)
        self.contract.opened.middleware.extend(plugins.asgi_middleware(self.contract))
        hooks = self._assembly.hooks
        if hooks.has_healthy:
            self.health.service = partial(hooks.healthy, self.contract)

    async def _open(self, integration: AssembledIntegration) -> None:
        record = integration.record
        context = record.open(integration.config, self.contract)
        holding = Holding(record.name, context)
        # Before it is open: a start that is cancelled meanwhile leaves it to `close`.
        self._held.append(holding)
        with self._assembly.costs.measure(f"open {record.name}"):
            client = self.contract.opened.clients[record.client] = await holding.open()
        if record.check is not None:
            check = partial(record.check, client)
            self.health.add(Check(name=record.name, run=check, critical=record.critical))
        logger.debug("opened %s", record.name)

    async def inherit(self) -> None:
        """Hold, in the child of a fork, what its parent opened, so that `close` closes it here."""
        # Kept until they are closed here: a task that is collected leaves what it holds by itself.
        self._of_parent += self._held
        self._held = [holding.hand_over() for holding in self._held]
        for holding in self._held:
            await holding.open()

    async def close(
        self, deadline: Deadline, ledger: Ledger, note: Callable[[RoutineError], None]
    ) -> None:
        """Close everything in reverse, telemetry last; each has a fair share of the time left.

        Args:
            deadline: for all of them.
            ledger: gets an entry for each.
            note: called with what failed or hung, while telemetry is still open; it stops nothing
                else from being closed.
        """
        while self._held:
            # Divided anew each time: what one leaves unused is there for the others.
            share = deadline.share(len(self._held))
            holding = self._held.pop()
            error = await ledger.measure(holding.name, holding.close(share), share)
            if error:
                note(error)
