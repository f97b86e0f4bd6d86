"""Waiting for what happens elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msp_core.deadline import Deadline

# Seconds; only reached when something is broken.
PATIENT = 30.0


async def until(happened: Callable[[], bool]) -> None:
    """Wait until it has happened."""
    deadline = Deadline.after(PATIENT)
    while not happened():
        assert deadline.remaining(), "it never happened"

        await asyncio.sleep(0.01)
