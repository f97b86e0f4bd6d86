"""Resources and checks for tests of health."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from msp_core.health import Check, Health

# Seconds; a timeout or cache time that is not meant to pass.
PATIENT = 30.0


class Resource:
    """What a check asks: healthy or not as the test says, and counting."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0
        self.release = asyncio.Event()
        self.release.set()

    async def ping(self) -> None:
        self.asked += 1
        await self.release.wait()
        if self.error is not None:
            raise self.error


def broken(text: str = "connection refused") -> Resource:
    """Give a resource that fails with that text."""
    return Resource(ConnectionError(text))


def health_of(*checks: Check, timeout: float = PATIENT, cache: float = 0.0) -> Health:
    """Give a started Health with those checks and nothing kept."""
    health = Health(timeout=timeout, cache=cache)
    health.started = True
    for check in checks:
        health.add(check)
    return health


def says(error: Exception | None = None) -> Callable[[Mapping[str, str]], Awaitable[None]]:
    """Give a service's own check that passes, or raises that error."""

    async def healthy(_query: Mapping[str, str]) -> None:
        if error is not None:
            raise error

    return healthy
