"""Holding: a resource kept open by a task of its own."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, cast

from msp_core._text.failure import describe
from msp_core._text.stacks import task_stack
from msp_core.deadline import Deadline, close_deadline
from msp_core.errors import RoutineError, StopTimeoutError
from msp_core.routines._calls import contain_exit


class Holding:
    """One integration, opened and later closed in one and the same task.

    Task groups and cancel scopes inside a plugin's context manager work only if it is left in the
    task that entered it, and a task can be given a deadline and asked for its stack.

    Args:
        name: of the integration.
        context: gives the client.
        variables: the context variables it sees and sets; default a copy of the opener's.
    """

    def __init__(
        self,
        name: str,
        context: AbstractAsyncContextManager[Any],
        variables: contextvars.Context | None = None,
    ) -> None:
        self.name = name
        self._context = context
        self._stack = AsyncExitStack()
        self._variables = variables
        self._outcome: Exception | None = None
        self._closing: asyncio.Future[Deadline] = asyncio.get_running_loop().create_future()
        self._opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Any:  # noqa: ANN401 - the client is of the plugin's own type
        """Enter the context manager and return the client.

        Raises:
            Exception: what the context manager raises.
        """
        self._task = asyncio.create_task(
            self._hold(), name=f"integration {self.name}", context=self._variables
        )
        # Not awaited themselves: when a stop cancels this start, the task must live on for `close`,
        # which cancels it and waits until what was entered by then has been left.
        await asyncio.wait({self._task, self._opened}, return_when=asyncio.FIRST_COMPLETED)
        if not self._opened.done():
            self._task.result()  # over without a client: raises why
        return self._opened.result()

    def hand_over(self) -> Holding:
        """Return what holds this resource in the child of a fork, to be opened on its own loop.

        The task that entered the context manager belongs to the parent's loop and does not run
        there. This copy of it must be kept until the other has been closed: what was left there,
        it does not leave again when it is collected.
        """
        # As asyncio's own gather does for tasks that nobody is to wait for.
        cast("Any", self._task)._log_destroy_pending = False  # noqa: SLF001
        return Holding(self.name, self._stack)

    async def close(self, deadline: Deadline, outcome: Exception | None = None) -> None:
        """Leave the context manager; one that is still being entered is cancelled.

        Args:
            deadline: to have left it by.
            outcome: what is raised through it; swallowing that changes nothing.

        Raises:
            StopTimeoutError: not left by the deadline; it says where it hangs.
            RoutineError: leaving raised.
        """
        if self._task is None:
            return
        self._outcome = outcome
        self._closing.set_result(deadline)
        if not self._opened.done():
            # It waits for the resource, not for `_closing`, and perhaps for ever.
            self._task.cancel()
        pending = (await asyncio.wait({self._task}, timeout=deadline.remaining()))[1]
        if pending:
            raise self._give_up(self._task)
        error = None if self._task.cancelled() else self._task.exception()
        if error not in (None, outcome) and self._opened.done():  # else `open` has raised it
            raise RoutineError(
                f'close "{self.name}": {describe(error)}', routine=self.name
            ) from error

    async def _hold(self) -> None:
        with contain_exit(f'integration "{self.name}"'):
            async with self._stack as stack:
                self._opened.set_result(await stack.enter_async_context(self._context))
                await self._wait_for_close()

    async def _wait_for_close(self) -> None:
        """Wait for the close; raise what is to go through the context manager."""
        # Set in this task, which leaves the context manager: the plugin reads it there.
        close_deadline.set(await self._closing)
        if self._outcome is not None:
            raise self._outcome

    def _give_up(self, task: asyncio.Task[None]) -> StopTimeoutError:
        """Return where the task hangs, and cancel it."""
        stack = task_stack(task)
        # Nobody waits for it any more, but what follows may leave it the time to clean up.
        task.cancel()
        what = f'"{self.name}" did not close in time'
        return StopTimeoutError(what, routine=self.name, stack=stack)
