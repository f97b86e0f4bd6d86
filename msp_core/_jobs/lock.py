"""The lock that keeps a second execution of a job from running beside the first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from msp_core._text.failure import describe
from msp_core.assembly import Assembly
from msp_core.contract import JobContract
from msp_core.errors import UsageError
from msp_core.execution import Execution

logger = logging.getLogger("msp.job")


@asynccontextmanager
async def job_lock(
    assembly: Assembly, contract: JobContract, lost: Callable[[str], object]
) -> AsyncIterator[None]:
    """Hold the lock the job asks for with its attribute `lock`; does nothing without one.

    Args:
        assembly: of the job.
        contract: of the job.
        lost: (what happened) -> called when the lock is lost.

    Raises:
        LockHeldError: another execution holds it.
        UsageError: no plugin gives one.
    """
    name = getattr(assembly.service, "lock", None)
    if name is None:
        yield
        return
    lock = _find_lock(assembly, contract, name)
    loss = await lock.__aenter__()
    watching = asyncio.create_task(_watch(loss, name, lost), name=f"lock {name}")
    try:
        yield
    finally:
        # First: a lock that ends its connection, and sets the event then, was not lost.
        watching.cancel()
        await _release(lock, name)


def _find_lock(
    assembly: Assembly, contract: JobContract, name: object
) -> AbstractAsyncContextManager[asyncio.Event]:
    subject = f"job {contract.name!r}"
    if not isinstance(name, str) or not name:
        raise UsageError(f"{subject}: its attribute `lock` is no name: expected a text")
    lock = assembly.plugins.job_lock(contract, _name_for_task(name, contract.execution))
    if lock is None:
        raise UsageError(
            f"{subject} asks for the lock {name!r}, and no configured plugin gives locks: add"
            " 'msp-core[cloudsql]' to its dependencies, and set the variables of that plugin"
        )
    return lock


def _name_for_task(name: str, execution: Execution) -> str:
    """Return the lock's name for one task: tasks of one execution do not exclude each other."""
    return name if execution.task_index == 0 else f"{name}/{execution.task_index}"


async def _watch(loss: asyncio.Event, name: str, lost: Callable[[str], object]) -> None:
    await loss.wait()
    lost(f"the loss of lock {name!r}")


async def _release(lock: AbstractAsyncContextManager[asyncio.Event], name: str) -> None:
    """Leave the lock; its end cannot swallow what the job raised, nor fail the job."""
    try:
        await lock.__aexit__(None, None, None)
    except Exception as error:
        logger.warning("lock %r was not released: %s", name, describe(error), exc_info=error)
