"""Health: runs checks together, keeps the results for a second, and returns whether all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from msp_core.health._checks import Check, CheckResult, Watch
from msp_core.health._single_flight import SingleFlight

Readiness = Literal["ready", "starting", "draining", "unhealthy"]

HealthzResources = Literal["never", "start", "always"]
"""When critical checks of resources count at `/-/healthz`: `start` is until all passed once."""

ServiceCheck = Callable[[Mapping[str, str]], Awaitable[None]]
"""(query parameters) -> awaitable that raises when the service is unhealthy."""

# Deeper questions an operator asks by query are remembered, but not without bound.
_REMEMBERED_QUERIES = 32


class Health:
    """The checks of one process.

    A round runs all checks in parallel. There is at most one round at a time; everybody who asks
    meanwhile, or within the cache time after it, gets its results.

    Attributes:
        service: the service's own check, `msp_healthy`; None when it has none. Set by the runtime.
        started: whether every routine is up. Set by the runtime.
        draining: whether the process is about to stop. Set by the runtime.
        healthz_resources: when critical checks of resources count at `/-/healthz`. Default
            `never`; set by the runtime.
        scrub: (text) -> the text without secrets.

    Args:
        timeout: seconds one check may take; keep it below the platform's probe timeout.
        cache: seconds for which a result is given again.
        scrub: (text) -> the text without secrets; applied to every error text that leaves.
    """

    def __init__(
        self,
        *,
        timeout: float = 2.0,
        cache: float = 1.0,
        scrub: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.service: ServiceCheck | None = None
        self.started = False
        self.draining = False
        self.healthz_resources: HealthzResources = "never"
        self._timeout = timeout
        self._cache = cache
        self.scrub = scrub
        self._watches: list[Watch] = []
        self._round = SingleFlight(self._run_round, cache=cache)
        self._queries: dict[tuple[tuple[str, str], ...], SingleFlight[CheckResult]] = {}

    def add(self, check: Check) -> None:
        """Run that check in every round from now on."""
        self._watches.append(self._watch(check))

    async def results(self) -> tuple[CheckResult, ...]:
        """Return a result per check, in the order they were added, the service's own last."""
        return await self._round.get()

    async def readiness(self) -> Readiness:
        """Return whether the process can take traffic now, or the first reason why not."""
        if not self.started:
            return "starting"
        if self.draining:
            return "draining"
        failing = any(result.critical and not result.healthy for result in await self.results())
        return "unhealthy" if failing else "ready"

    async def healthz(self, query: Mapping[str, str]) -> str | None:
        """Return what the service's own check says against itself, None when it is healthy.

        Resources count only where `healthz_resources` says so: a platform that restarts the
        process on this answer would restart it for a fault that a restart does not mend.
        """
        if self.service is not None:
            wrong = (await self._service_flight(self.service, query).get()).detail
            if wrong is not None:
                return wrong
        return None if self.healthz_resources == "never" else await self._wrong_resources()

    async def _wrong_resources(self) -> str | None:
        """Return which critical resources fail; `start` is over once none does."""
        results = (await self.results())[: len(self._watches)]  # the service's own comes after
        failing = [each for each in results if each.critical and not each.healthy]
        if failing:
            return "; ".join(f"{each.name}: {each.detail}" for each in failing)
        if self.healthz_resources == "start":
            self.healthz_resources = "never"
        return None

    async def _run_round(self) -> tuple[CheckResult, ...]:
        running = [watch.result() for watch in self._watches]
        if self.service is not None:
            running.append(self._service_flight(self.service, {}).get())
        return tuple(await asyncio.gather(*running))

    def _service_flight(
        self, service: ServiceCheck, query: Mapping[str, str]
    ) -> SingleFlight[CheckResult]:
        key = tuple(sorted(query.items()))
        flight = self._queries.pop(key, None)
        if flight is None:
            watch = self._watch(Check("service", lambda: service(query)), query=sorted(query))
            flight = SingleFlight(watch.result, cache=self._cache)
        self._queries[key] = flight
        if len(self._queries) > _REMEMBERED_QUERIES:
            # Least recently asked first; whoever waits for it still gets its answer.
            del self._queries[next(iter(self._queries))]
        return flight

    def _watch(self, check: Check, **fields: object) -> Watch:
        return Watch(check, timeout=self._timeout, scrub=self.scrub, fields=fields)
