"""Health: what keeps probes from hurting resources, and resources from hurting probes."""

from __future__ import annotations

import asyncio

from msp_core.health import Check
from tests.msp_core.health_checks import PATIENT, Resource, broken, health_of

# Seconds; a timeout that is meant to pass.
SHORT = 0.05


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

        before = await health.readiness()
        resource.error = None
        after = await health.readiness()

        assert (before, after) == ("unhealthy", "ready")

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
            return await health.readiness() == "ready"

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

        assert await health.readiness() == "ready"
