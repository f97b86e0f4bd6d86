"""SingleFlight: one run of some work at a time, its answer shared and kept for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

AnswerT = TypeVar("AnswerT")


class SingleFlight(Generic[AnswerT]):
    """Work that many may ask for at once and that runs once for all of them.

    Args:
        work: what to run; it reports failure in its answer and does not raise.
        cache: seconds for which an answer is given again, counted from the end of its run.
    """

    def __init__(self, work: Callable[[], Awaitable[AnswerT]], *, cache: float) -> None:
        self._work = work
        self._cache = cache
        self._task: asyncio.Task[AnswerT] | None = None
        self._expires = 0.0

    async def get(self) -> AnswerT:
        """Return the kept answer, else the one of the run under way, else of a new run."""
        if self._task is None or self._is_stale(self._task):
            self._task = asyncio.get_running_loop().create_task(self._run())
        # A caller who goes away must not take the answer from the others.
        return await asyncio.shield(self._task)

    async def _run(self) -> AnswerT:
        answer = await self._work()
        self._expires = time.monotonic() + self._cache
        return answer

    def _is_stale(self, task: asyncio.Task[AnswerT]) -> bool:
        if task.done():
            return task.cancelled() or time.monotonic() >= self._expires
        # A run whose event loop is gone will never end.
        return task.get_loop() is not asyncio.get_running_loop()
