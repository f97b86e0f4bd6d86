"""Health: the seconds a check may take, and those for which a result is kept."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from msp_core.health import Check, Health
from tests.msp_core.clock import Clock, clock_for_all
from tests.msp_core.health_checks import Resource


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Give the clock that the event loop and everybody else reads."""
    with clock_for_all() as clock:
        yield clock


class TestDefaults:
    """What holds for a service that says nothing."""

    async def test_not_started(self) -> None:
        """A process wants no traffic until the runtime says that it is up."""
        assert await Health().readiness() == "starting"

    async def test_a_check_may_take_2_seconds(self, clock: Clock) -> None:
        """Then it counts as failed, and the result tells how long it took."""
        resource, health = Resource(), Health()
        resource.release.clear()
        health.add(Check("redis", resource.ping))
        asking = asyncio.create_task(health.results())

        await clock.advance(0)
        await clock.advance(1.75)
        early = asking.done()
        await clock.advance(0.25)

        assert (early, asking.done()) == (False, True)
        (result,) = asking.result()
        assert (result.detail, result.duration) == ("no answer within 2 s", 2)

    async def test_a_result_is_kept_for_1_second(self, clock: Clock) -> None:
        """Whoever asks later gets a new one."""
        resource, health = Resource(), Health()
        health.add(Check("redis", resource.ping))

        asked = []
        for seconds in (0, 0.75, 0.25):
            await clock.advance(seconds)
            await health.results()
            asked.append(resource.asked)

        assert asked == [1, 1, 2]


async def test_late_ends_are_no_complaint(clock: Clock) -> None:
    """A check that is cancelled, and one that fails after its time, leave nothing for asyncio."""
    loop, complaints = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
    release = asyncio.Event()

    async def obey() -> None:
        await asyncio.Event().wait()

    async def fail_late() -> None:
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()
        raise OSError("at last")

    health = Health()
    health.add(Check("obedient", obey))
    health.add(Check("late", fail_late))
    asking = asyncio.create_task(health.results())
    await clock.advance(0)
    await clock.advance(2)
    results = asking.result()
    release.set()
    await clock.advance(0)
    del health, asking
    gc.collect()

    assert [result.error for result in results] == ["TimeoutError", "TimeoutError"]
    assert complaints == []
