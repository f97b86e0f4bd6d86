"""open_contract(): the contract without the runtime, for a program with its own main."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from msp_core._failure import log_failure
from msp_core._ledger import Ledger
from msp_core._log_scrub import Scrubber
from msp_core._resources import Resources
from msp_core._routine_group import aggregate
from msp_core.assembly import assemble
from msp_core.contract import Contract
from msp_core.deadline import Deadline
from msp_core.errors import RoutineError, StopTimeoutError
from msp_core.platforms import Platform

logger = logging.getLogger("msp.start")


@asynccontextmanager
async def open_contract(
    environ: Mapping[str, str],
    service: object,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
) -> AsyncIterator[Contract]:
    """Open what a service declares, give its contract, and close everything again.

    For programs that keep their own `main`, signal handling and logging. The diagnostics of the
    contract work; `/-/ready` is green until the block is left.

    Args:
        environ: the variables, usually `os.environ`.
        service: an object with `name` and `version`; its hooks are not called, `msp_healthy`
            excepted.
        plugins: names of plugins, instead of the declared ones; for a script without metadata.
        distribution: the service's, where no `msp.services` entry point tells.

    Returns:
        A `ServiceContract`, or a `JobContract` for an object with `msp_execute`.

    Raises:
        ConfigError: the environment does not fit; all problems at once.
        PluginError: a declared plugin is missing, broken or does not fit.
        RoutineError: a resource failed to close.
    """
    assembly = assemble(service, environ, plugins=plugins, distribution=distribution)
    for problem in assembly.ignored:
        logger.warning("%s", problem)
    scrubber = Scrubber()
    scrubber.add(assembly.secrets)
    resources = Resources(assembly, scrubber.text)
    try:
        await resources.open_telemetry()
        await resources.open()
        resources.health.started = True
        yield resources.contract
    finally:
        resources.health.draining = True
        budget = Platform.of(environ).shutdown_budget
        errors: list[RoutineError] = []

        def note(error: RoutineError) -> None:
            errors.append(error)
            if isinstance(error, StopTimeoutError):  # its stack is not in its text
                log_failure(logger, "stop failed", error)

        await resources.close(Deadline.after(budget), Ledger(), note)
    if errors:
        raise aggregate(errors)
