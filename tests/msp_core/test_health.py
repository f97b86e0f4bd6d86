"""Health: what a round of checks promises to those who ask and to those who are asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import pytest

from msp_core.health import Check, Health

PATIENT = 30.0
"""Seconds; a timeout or cache time that is not meant to pass."""

SHORT = 0.05
"""Seconds; a timeout that is meant to pass."""


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


class TestResults:
    """The results of one round."""

    async def test_tell_each_check_in_order(self) -> None:
        """A result names its check, whether it passed, and the class of what it raised."""
        health = health_of(
            Check("redis", Resource().ping), Check("postgres", broken().ping, critical=False)
        )
        health.service = says()

        redis, postgres, service = await health.results()

        assert (redis.name, redis.healthy, redis.critical) == ("redis", True, True)
        assert (redis.error, redis.detail) == (None, None)
        assert (postgres.name, postgres.healthy, postgres.critical) == ("postgres", False, False)
        assert (postgres.error, postgres.detail) == ("ConnectionError", "connection refused")
        assert (service.name, service.healthy, service.critical) == ("service", True, True)
        assert redis.duration >= 0

    async def test_come_from_checks_run_in_parallel(self) -> None:
        """A round takes as long as its slowest check, not as long as all together."""
        both = asyncio.Barrier(2)

        async def meet() -> None:
            await both.wait()

        results = await health_of(Check("one", meet), Check("two", meet)).results()

        assert [result.healthy for result in results] == [True, True]

    async def test_remember_since_when(self) -> None:
        """`since` is the time of the turn, not of the latest round."""
        resource = Resource()
        health = health_of(Check("redis", resource.ping))

        first = (await health.results())[0]
        second = (await health.results())[0]
        resource.error = OSError("gone")
        third = (await health.results())[0]

        assert second.since == first.since
        assert third.since > first.since

    async def test_survive_what_is_not_an_ordinary_exception(self) -> None:
        """A check that ends by cancelling itself fails; it does not take the round with it."""

        async def cancel_itself() -> None:
            raise asyncio.CancelledError

        (result,) = await health_of(Check("odd", cancel_itself)).results()

        assert (result.healthy, result.error) == (False, "CancelledError")

    async def test_name_an_error_without_text(self) -> None:
        """An exception with no text is told by its class."""
        (result,) = await health_of(Check("odd", Resource(ValueError()).ping)).results()

        assert result.detail == "ValueError"


class TestBoundedCost:
    """What keeps probes from hurting the resources, and resources from hurting probes."""

    async def test_500_callers_cause_one_round(self) -> None:
        """However many ask at once, each check runs once and all get its result."""
        resource = Resource()
        resource.release.clear()
        health = health_of(Check("redis", resource.ping))

        callers = [asyncio.create_task(health.results()) for _ in range(500)]
        await asyncio.sleep(0)
        resource.release.set()
        results = await asyncio.gather(*callers)

        assert resource.asked == 1
        assert len({id(result) for result in results}) == 1

    async def test_results_are_kept_for_the_cache_time(self) -> None:
        """Within the cache time nobody is asked again."""
        resource = Resource()
        health = health_of(Check("redis", resource.ping), cache=PATIENT)

        await health.results()
        await health.results()

        assert resource.asked == 1

    async def test_results_are_renewed_after_it(self) -> None:
        """After the cache time a recovered resource is seen."""
        resource = broken()
        health = health_of(Check("redis", resource.ping))

        before = await health.ready()
        resource.error = None
        after = await health.ready()

        assert (before, after) == (False, True)

    async def test_a_caller_who_leaves_does_not_cancel_the_others(self) -> None:
        """Cancelling one probe leaves the shared round running."""
        resource = Resource()
        resource.release.clear()
        health = health_of(Check("redis", resource.ping))
        impatient = asyncio.create_task(health.results())
        patient = asyncio.create_task(health.results())
        await asyncio.sleep(0)

        impatient.cancel()
        await asyncio.wait({impatient})
        resource.release.set()

        assert (await patient)[0].healthy
        assert resource.asked == 1

    async def test_a_slow_check_fails_by_timeout(self) -> None:
        """A check that does not answer in time is failing, and is cancelled."""
        resource = Resource()
        resource.release.clear()
        fast = Resource()
        health = health_of(Check("slow", resource.ping), Check("fast", fast.ping), timeout=SHORT)

        slow, quick = await health.results()

        assert (slow.healthy, slow.error) == (False, "TimeoutError")
        assert slow.detail == "no answer within 0.05 s"
        assert quick.healthy

    async def test_a_check_that_ignores_cancellation_hangs_nobody(self) -> None:
        """It is failing until its one run ends; no second run is piled on it."""
        release = asyncio.Event()
        asked = 0

        async def stubborn() -> None:
            nonlocal asked
            asked += 1
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue
            raise OSError("at last")

        health = health_of(Check("stubborn", stubborn), timeout=SHORT)

        first = (await health.results())[0]
        second = (await health.results())[0]
        stuck = asked
        release.set()
        while (await health.results())[0].error != "OSError":
            pass

        assert (first.error, second.error, stuck) == ("TimeoutError", "TimeoutError", 1)
        assert second.duration > first.duration

    def test_a_run_left_over_from_another_loop_blocks_nothing(self) -> None:
        """A round whose loop was stopped in the middle is forgotten, not waited for."""
        resource = Resource()
        health = health_of(Check("redis", resource.ping))
        resource.release.clear()
        abandoned = asyncio.new_event_loop()
        round_ = abandoned.create_task(health.results())
        for _ in range(5):
            abandoned.call_soon(abandoned.stop)
            abandoned.run_forever()

        async def ask_again() -> bool:
            resource.release = asyncio.Event()
            resource.release.set()
            return await health.ready()

        ready = asyncio.run(ask_again())
        for task in asyncio.all_tasks(abandoned):
            task.cancel()
        abandoned.run_until_complete(asyncio.wait({round_}))
        abandoned.close()

        assert ready
        assert resource.asked == 2

    async def test_a_cancelled_round_is_not_kept(self) -> None:
        """A round that a closing loop cancelled is run anew, not given again."""
        resource = Resource()
        resource.release.clear()
        health = health_of(Check("redis", resource.ping), cache=PATIENT)
        caller = asyncio.create_task(health.results())
        await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task(), caller}
        for task in others:
            task.cancel()
        await asyncio.wait({caller})
        resource.release.set()

        assert await health.ready()


class TestReadiness:
    """Whether the process can take traffic."""

    async def test_needs_a_start(self) -> None:
        """Before every routine is up nothing is asked and the answer is no."""
        resource = Resource()
        health = health_of(Check("redis", resource.ping))
        health.started = False

        assert (await health.readiness(), await health.ready()) == ("starting", False)
        assert resource.asked == 0

    async def test_ends_with_the_drain(self) -> None:
        """A draining process wants no traffic, however healthy it is."""
        health = health_of(Check("redis", Resource().ping))
        health.draining = True

        assert (await health.readiness(), await health.ready()) == ("draining", False)

    async def test_needs_every_critical_check(self) -> None:
        """One failing critical check is enough."""
        health = health_of(Check("redis", broken().ping), Check("postgres", Resource().ping))

        assert await health.readiness() == "unhealthy"

    async def test_does_not_need_the_others(self) -> None:
        """A resource the service can do without does not take it out of traffic."""
        health = health_of(Check("cache", broken().ping, critical=False))

        assert (await health.readiness(), await health.ready()) == ("ready", True)

    async def test_needs_the_services_own_check(self) -> None:
        """`msp_healthy` counts as critical, asked with an empty query."""
        health = health_of()
        health.service = says(RuntimeError("no quorum"))

        assert await health.readiness() == "unhealthy"


class TestHealthz:
    """The upstream endpoint's verdict."""

    async def test_is_good_without_a_service_check(self) -> None:
        """A service that says nothing about itself is healthy."""
        assert await health_of().healthz({}) is None

    async def test_does_not_depend_on_resources(self) -> None:
        """A platform that restarts on it must not restart for a database that is down."""
        health = health_of(Check("postgres", broken().ping))
        health.service = says()

        assert await health.healthz({}) is None

    async def test_passes_the_query_on(self) -> None:
        """An operator's query reaches the service; each query has its own answer."""
        queries = []

        async def healthy(query: Mapping[str, str]) -> None:
            queries.append(dict(query))
            if query.get("deep"):
                raise RuntimeError("replica lags")

        health = health_of(cache=PATIENT)
        health.service = healthy

        assert await health.healthz({}) is None
        assert await health.healthz({"deep": "1"}) == "replica lags"
        assert await health.healthz({"deep": "1"}) == "replica lags"
        assert queries == [{}, {"deep": "1"}]

    async def test_remembers_a_bounded_number_of_queries(self) -> None:
        """Whoever invents queries cannot fill the memory."""
        health = health_of(cache=PATIENT)
        health.service = says()

        for number in range(100):
            await health.healthz({"n": str(number)})

        assert len(health._queries) < 100

    async def test_hides_secrets(self) -> None:
        """Known secrets go through `scrub`; credentials in URLs and DSNs are masked as such."""
        health = Health(cache=0, scrub=lambda text: text.replace("hunter2", "***"))
        text = "hunter2 postgres://me:pass@host/db password=abc host=h token='a b'"
        health.service = says(OSError(text))

        assert (
            await health.healthz({}) == "*** postgres://***@host/db password=*** host=h token=***"
        )


class TestLog:
    """What is written about health."""

    async def test_one_line_per_turn(self, caplog: pytest.LogCaptureFixture) -> None:
        """A check is logged when it begins to fail and when it recovers, not at every probe."""
        caplog.set_level(logging.INFO, logger="msp.health")
        resource = Resource()
        health = health_of(Check("redis", resource.ping))

        for error in (None, None, OSError("down"), OSError("down"), None, None):
            resource.error = error
            await health.results()

        assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
            ("WARNING", "check 'redis' turned failing: down"),
            ("INFO", "check 'redis' recovered"),
        ]

    async def test_carries_the_query_keys(self, caplog: pytest.LogCaptureFixture) -> None:
        """The line about the service's own check says which query was asked, without its values."""
        health = health_of()
        health.service = says(OSError("down"))

        await health.healthz({"deep": "value", "area": "value"})

        (record,) = caplog.records
        assert record.__dict__["query"] == ["area", "deep"]
        assert record.__dict__["error"] == "OSError"
        assert "value" not in record.getMessage()
