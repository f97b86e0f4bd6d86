"""open_contract(), open_contract_sync(): the contract for a program with its own main."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from types import TracebackType

from msp_core._life.ledger import Ledger
from msp_core._life.loop_thread import LoopThread
from msp_core._life.resources import Resources
from msp_core._logs.scrub import Scrubber
from msp_core._text.failure import log_failure
from msp_core.assembly import assemble
from msp_core.contract import Contract
from msp_core.deadline import Deadline
from msp_core.errors import RoutineError, StopTimeoutError
from msp_core.platforms import Platform
from msp_core.routines._group import aggregate

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
    contract work; `/-/ready` is green until the block is left. What is open then is closed within
    the shutdown budget, `MSP_SHUTDOWN_BUDGET`.

    Args:
        environ: the variables, usually `os.environ`.
        service: an object with `name` and `version`, perhaps `config` and hooks; of these only
            `msp_healthy` is called.
        plugins: names of plugins, instead of the declared ones; for a script without metadata.
        distribution: the service's, where no `msp.services` entry point names it.

    Returns:
        A `ServiceContract`, a `JobContract` for an object with `msp_execute`, a plain `Contract`,
        which needs no `PORT`, for one with neither.

    Raises:
        ConfigError: the environment does not fit; all problems at once.
        PluginError: a declared plugin is missing, broken or does not fit.
        RoutineError: a resource failed to close.
    """
    resources, budget = _prepare(environ, service, plugins, distribution)
    try:
        await _open(resources)
        yield resources.contract
    finally:
        deadline = Deadline.after(budget)
        errors = await _close(resources, deadline)
    # Not reached when the block raised: its own error matters more.
    if errors:
        raise aggregate(errors)


def open_contract_sync(
    environ: Mapping[str, str],
    service: object,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
) -> AbstractContextManager[Contract]:
    """Do what `open_contract` does for a program without asyncio: WSGI, a script, a notebook.

    The resources live on an event loop in a thread of its own, as plugins are written for one.
    Use the sides of the clients that are for threads: `sync_pool`, `sync_connect`, `sync_client`.
    `contract.diagnostics.wsgi(app)` has its checks run on that loop.

    After a fork the child may go on with the contract: clients that it asks for are its own, and
    so is what it closes when it leaves the block. What it asked for before belongs to the parent;
    a plugin whose context manager must be left by the task that entered it is not closed there.

    Args:
        environ: as for `open_contract`.
        service: as for `open_contract`.
        plugins: as for `open_contract`.
        distribution: as for `open_contract`.

    Returns:
        A context manager of what `open_contract` gives. Leave it while threads can still be
        started: not in an `atexit` handler.

    Raises:
        ConfigError: as for `open_contract`.
        PluginError: as for `open_contract`.
        RoutineError: as for `open_contract`.
    """
    return _SyncContract(*_prepare(environ, service, plugins, distribution))


class _SyncContract(AbstractContextManager[Contract]):
    """What `open_contract_sync` gives.

    A class, not a generator: Python would end a generator that nobody left while the interpreter
    goes down, when the loop's thread is gone, and wait for it for ever.
    """

    def __init__(self, resources: Resources, budget: float) -> None:
        self._resources = resources
        self._budget = budget
        self._thread = LoopThread()
        self._process = os.getpid()

    def __enter__(self) -> Contract:
        contract = self._resources.contract
        contract.diagnostics.loop = self._thread.loop
        try:
            self._thread.run(_open(self._resources))
        # Ctrl-C, too: what was opened by then would keep its connections, and the thread its loop.
        except BaseException:
            self._close()
            raise
        return contract

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        raised: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        errors = self._close()
        if errors and raised is None:
            raise aggregate(errors)

    def _close(self) -> list[RoutineError]:
        deadline = Deadline.after(self._budget)
        # In the child of a fork the tasks that hold the resources do not run: it needs its own.
        if os.getpid() != self._process:
            self._thread.run(self._resources.inherit())
        errors = self._thread.run(_close(self._resources, deadline))
        self._thread.stop(deadline)
        return errors


def _prepare(
    environ: Mapping[str, str],
    service: object,
    plugins: Sequence[str] | None,
    distribution: str | None,
) -> tuple[Resources, float]:
    """Return what is to be opened, and the seconds in which it must be closed again."""
    assembly = assemble(service, environ, plugins=plugins, distribution=distribution, hookless=True)
    for problem in assembly.ignored:
        logger.warning("%s", problem)
    scrubber = Scrubber()
    scrubber.add(assembly.secrets)
    contract = assembly.contract(scrubber.text)  # raises when the core has a problem
    own = assembly.core.shutdown_budget if assembly.core else None
    return Resources(assembly, contract), own or Platform.of(environ).shutdown_budget


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
