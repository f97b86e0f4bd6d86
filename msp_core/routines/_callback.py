"""CallbackRoutine and NoopRoutine: routines made of functions, or of nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msp_core.deadline import Deadline
from msp_core.routines._calls import call


class NoopRoutine:
    """A routine that does nothing but wait to be stopped.

    Args:
        name: default `noop`.
    """

    def __init__(self, name: str = "noop") -> None:
        self.name = name
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Wait until stopped."""
        await self._stopped.wait()

    async def stop(self, deadline: Deadline) -> None:  # noqa: ARG002 - the protocol's signature
        """Make `start` return."""
        self._stopped.set()


class CallbackRoutine:
    """A routine made of functions, `async def` or plain; a plain one runs in a worker thread.

    Args:
        name: default `callback`.
        start: (): runs for the routine's life; without it the routine just waits to be stopped.
        stop: (deadline): makes `start` return; without it an `async def` start is cancelled.
    """

    def __init__(
        self,
        name: str = "callback",
        *,
        start: Callable[[], Awaitable[None] | None] | None = None,
        stop: Callable[[Deadline], Awaitable[None] | None] | None = None,
    ) -> None:
        self.name = name
        self._start = start or NoopRoutine(name).start
        self._stop = stop
        self._cancel_on_stop = stop is None or start is None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run the start function; cancelled by `stop`, that is a normal end."""
        self._task = asyncio.ensure_future(call(self._start))
        try:
            # Not awaited itself: cancelled by `stop` it has ended well, but a cancellation of this
            # `start` must still be seen by who waits for it.
            await asyncio.wait({self._task})
        finally:
            self._task.cancel()
        if not self._task.cancelled():
            self._task.result()

    async def stop(self, deadline: Deadline) -> None:
        """Run the stop function; without one, or without a start function, cancel `start`."""
        if self._stop is not None:
            await call(self._stop, deadline)
        if self._cancel_on_stop and self._task is not None:
            self._task.cancel()
