"""Holding: a resource kept open by a task of its own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from typing import Any

from msp_core._running import describe
from msp_core._stacks import task_stack
from msp_core.deadline import Deadline, close_deadline
from msp_core.errors import RoutineError, StopTimeoutError

logger = logging.getLogger("msp.stop")


class Holding:
    """One integration, opened and later closed in one and the same task.

    Task groups and cancel scopes inside a plugin's context manager work only if it is left in the
    task that entered it, and a task can be given a deadline and asked for its stack.

    Args:
        name: of the integration.
        context: gives the client.
    """

    def __init__(self, name: str, context: AbstractAsyncContextManager[Any]) -> None:
        self.name = name
        self._context = context
        self._closing: asyncio.Future[Deadline] = asyncio.get_running_loop().create_future()
        self._opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Any:  # noqa: ANN401 - the client is of the plugin's own type
        """Enter the context manager and return the client.

        Raises:
            Exception: what the context manager raises.
        """
        self._task = asyncio.create_task(self._hold(), name=f"integration {self.name}")
        await asyncio.wait({self._task, self._opened}, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done():
            self._task.result()
        return self._opened.result()

    async def close(self, deadline: Deadline) -> None:
        """Leave the context manager; one that is still being entered is cancelled.

        Raises:
            StopTimeoutError: not left by the deadline; its stack was logged.
            RoutineError: leaving raised.
        """
        if self._task is None:
            return
        self._closing.set_result(deadline)
        if not self._opened.done():
            self._task.cancel()
        pending = (await asyncio.wait({self._task}, timeout=deadline.remaining()))[1]
        if pending:
            raise self._hung(self._task)
        error = None if self._task.cancelled() else self._task.exception()
        if error is not None and self._opened.done():  # else `open` has raised it
            raise RoutineError(
                f'close "{self.name}": {describe(error)}', routine=self.name
            ) from error

    async def _hold(self) -> None:
        async with self._context as client:
            self._opened.set_result(client)
            close_deadline.set(await self._closing)

    def _hung(self, task: asyncio.Task[None]) -> StopTimeoutError:
        extra = {"integration": self.name, "stack": task_stack(task)}
        logger.error('"%s" did not close in time', self.name, extra=extra)
        task.cancel()
        return StopTimeoutError(f'"{self.name}" did not close in time', routine=self.name)
