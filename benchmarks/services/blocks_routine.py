"""Blocks of calls as a part of a service."""

import asyncio

from benchmarks.blocks import Calls, answer_blocks
from msp_core import Deadline


class Blocks:
    """Answers blocks until nobody asks any more.

    Args:
        calls: what is measured.
    """

    name = "blocks"

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._answering: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer."""
        self._answering = asyncio.create_task(answer_blocks(self._calls))
        await asyncio.wait([self._answering])

    async def stop(self, deadline: Deadline) -> None:
        """Answer no more."""
        del deadline
        if self._answering is not None:
            self._answering.cancel()
