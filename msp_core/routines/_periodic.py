"""PeriodicRoutine: a function called again and again, supervised."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

from msp_core.deadline import Deadline
from msp_core.errors import RoutineError
from msp_core.routines._calls import call

logger = logging.getLogger("msp.routine")


class PeriodicRoutine:
    """Call a function in intervals; an exception is logged and the next call comes all the same.

    The first call comes at once. Calls never overlap: the interval runs from the end of one to
    the start of the next. A stop lets the call under way finish.

    Args:
        name: in logs and errors.
        function: `async def`, or plain to run in a worker thread.
        interval: seconds between calls, above 0.
        jitter: share of the interval, 0 to 1, by which it is varied at random, so that replicas
            do not move in step. Default 0.1.
        give_up_after: failures in a row after which the routine fails and so stops the service;
            None, the default, to go on for ever.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[], Awaitable[None] | None],
        *,
        interval: float,
        jitter: float = 0.1,
        give_up_after: int | None = None,
    ) -> None:
        if interval <= 0 or not 0 <= jitter <= 1:
            raise ValueError(
                f'routine "{name}" needs an interval above 0 seconds and a jitter from 0 to 1'
            )
        self.name = name
        self._function = function
        self._interval = interval
        self._jitter = jitter
        self._give_up_after = give_up_after
        self._failures = 0
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Call the function until stopped.

        Raises:
            RoutineError: it failed `give_up_after` times in a row.
        """
        while not self._stopped.is_set():
            await self._call_once()
            await self._pause()

    async def stop(self, deadline: Deadline) -> None:  # noqa: ARG002 - the protocol's signature
        """Make no further call; `start` returns once the call under way is over."""
        self._stopped.set()

    async def _call_once(self) -> None:
        try:
            await call(self._function)
        except Exception as error:
            self._failures += 1
            logger.exception(
                'routine "%s" failed, %d in a row',
                self.name,
                self._failures,
                extra={"routine": self.name, "failures": self._failures},
            )
            if self._failures == self._give_up_after:
                message = f'routine "{self.name}" failed {self._failures} times in a row'
                raise RoutineError(message, routine=self.name) from error
        else:
            self._failures = 0

    async def _pause(self) -> None:
        share = random.uniform(1 - self._jitter, 1 + self._jitter)  # noqa: S311 - not for secrets
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval * share):
                await self._stopped.wait()
