"""open_contract(), open_contract_sync(): the contract for a program with its own main."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from msp_core._failure import log_failure
from msp_core._ledger import Ledger
from msp_core._log_scrub import Scrubber
from msp_core._loop_thread import LoopThread
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
        service: an object with `name` and `version`, perhaps `config` and hooks; of these only
            `msp_healthy` is called.
        plugins: names of plugins, instead of the declared ones; for a script without metadata.
        distribution: the service's, where no `msp.services` entry point tells.

    Returns:
        A `ServiceContract`, a `JobContract` for an object with `msp_execute`, a plain `Contract`,
        which needs no `PORT`, for one with neither.

    Raises:
        ConfigError: the environment does not fit; all problems at once.
        PluginError: a declared plugin is missing, broken or does not fit.
        RoutineError: a resource failed to close.
    """
    resources = _prepare(environ, service, plugins, distribution)
    try:
        await _open(resources)
        yield resources.contract
    finally:
        errors = await _close(resources, _budget(environ))
    if errors:
        raise aggregate(errors)


@contextmanager
def open_contract_sync(
    environ: Mapping[str, str],
    service: object,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
) -> Iterator[Contract]:
    """Do what `open_contract` does for a program without asyncio: WSGI, a script, a notebook.

    The resources live on an event loop in a thread of its own, as plugins are written for one.
    Use the sides of the clients that are for threads: `sync_pool`, `sync_connect`, `sync_client`.
    `contract.diagnostics.wsgi(app)` has its checks run on that loop.

    After a fork the child may go on with the contract: clients that it asks for are its own, and
    so is what it closes when it leaves the block. What it asked for before belongs to the parent.

    Args:
        environ: as for `open_contract`.
        service: as for `open_contract`.
        plugins: as for `open_contract`.
        distribution: as for `open_contract`.

    Returns:
        What `open_contract` gives.

    Raises:
        ConfigError: as for `open_contract`.
        PluginError: as for `open_contract`.
        RoutineError: as for `open_contract`.
    """
    resources = _prepare(environ, service, plugins, distribution)
    thread, process = LoopThread(), os.getpid()
    resources.contract.diagnostics.loop = thread.loop
    try:
        thread.run(_open(resources))
        yield resources.contract
    finally:
        deadline = _budget(environ)
        if os.getpid() != process:
            thread.run(resources.inherit())
        errors = thread.run(_close(resources, deadline))
        thread.stop(deadline)
    if errors:
        raise aggregate(errors)


def _prepare(
    environ: Mapping[str, str],
    service: object,
    plugins: Sequence[str] | None,
    distribution: str | None,
) -> Resources:
    assembly = assemble(service, environ, plugins=plugins, distribution=distribution, hookless=True)
    for problem in assembly.ignored:
        logger.warning("%s", problem)
    scrubber = Scrubber()
    scrubber.add(assembly.secrets)
    return Resources(assembly, scrubber.text)


async def _open(resources: Resources) -> None:
    await resources.open_telemetry()
    await resources.open()
    resources.health.started = True


async def _close(resources: Resources, deadline: Deadline) -> list[RoutineError]:
    resources.health.draining = True
    errors: list[RoutineError] = []

    def note(error: RoutineError) -> None:
        errors.append(error)
        if isinstance(error, StopTimeoutError):  # its stack is not in its text
            log_failure(logger, "stop failed", error)

    await resources.close(deadline, Ledger(), note)
    return errors


def _budget(environ: Mapping[str, str]) -> Deadline:
    return Deadline.after(Platform.of(environ).shutdown_budget)
