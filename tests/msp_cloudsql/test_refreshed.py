"""Refreshed: one fetch for everyone, in time, and never on the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator

import pytest

from msp_cloudsql._instance import refreshed as _refreshed
from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.refreshed import Fetched, Refreshed
from tests.msp_cloudsql.patience import until
from tests.msp_core.clock import Clock, clock_for_all


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Give the clock that everybody reads, seconds since the epoch too."""
    with clock_for_all() as clock:
        monkeypatch.setattr(time, "time", clock)
        yield clock


class Source:
    """Gives 1, 2, 3 …, each for a while, when it is let."""

    def __init__(self, life: float = 3600.0) -> None:
        self.life = life
        self.fetched = 0
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None
        self.threads: set[threading.Thread] = set()

    def fetch(self) -> Fetched[int]:
        """Return the next number."""
        self.threads.add(threading.current_thread())
        self.open.wait(20)
        if self.error:
            raise self.error
        self.fetched += 1
        return Fetched(value=self.fetched, expires=time.time() + self.life)


async def test_everyone_waits_for_one_fetch() -> None:
    """Tasks and threads together cause one fetch, off the event loop; one may stop waiting."""
    source = Source()
    source.open.clear()
    refreshed = Refreshed(source.fetch, title="number")
    tasks = [asyncio.create_task(refreshed.get_async()) for _ in range(3)]
    threads = [asyncio.create_task(asyncio.to_thread(refreshed.get)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    source.open.set()
    results = await asyncio.gather(*tasks[1:], *threads)

    assert [result.value for result in results] == [1] * 5
    assert source.fetched == 1
    assert threading.current_thread() not in source.threads


@pytest.mark.parametrize(("life", "values"), [(60.0, [1, 2]), (60.25, [1, 1])])
def test_fetches_again_within_the_margin(wall: Clock, life: float, values: list[int]) -> None:
    """A value that ends soon is replaced; one that does not is kept."""
    refreshed = Refreshed(Source(life=life).fetch, title="number", margin=60.0)
    first = refreshed.get()

    assert [first.value, refreshed.get().value] == values
    assert first.expires == wall.now + life
    assert "value" not in repr(first)  # may be a secret


def test_gives_what_is_still_good_while_fetching_fails(wall: Clock) -> None:
    """An outage of the source hurts no earlier than the value's end, and is not knocked at."""
    source = Source(life=50.0)
    refreshed = Refreshed(source.fetch, title="number", margin=60.0)
    refreshed.get()
    source.error = InstanceError("closed")

    assert refreshed.get().value == 1
    source.error = None
    wall.now += 9.75
    assert refreshed.get().value == 1  # rests for ten seconds
    assert refreshed.renew(refreshed.get())
    assert refreshed.get().value == 2


@pytest.mark.parametrize(("rested", "value"), [(9.75, 1), (10.0, 2)])
def test_rests_ten_seconds_after_a_failure(wall: Clock, rested: float, value: int) -> None:
    """Then the source is asked again, although the value is still good."""
    source = Source(life=50.0)
    refreshed = Refreshed(source.fetch, title="number", margin=60.0)
    refreshed.get()
    source.error = InstanceError("closed")
    refreshed.get()
    source.error = None
    wall.now += rested

    assert refreshed.get().value == value


def test_a_value_is_good_to_its_very_end(wall: Clock) -> None:
    """No second longer, also while the source rests or fails."""
    source = Source(life=5.0)
    refreshed = Refreshed(source.fetch, title="number", margin=60.0)
    refreshed.get()
    source.error = InstanceError("closed")
    refreshed.get()
    wall.now += 4.75
    source.error = None

    assert refreshed.get().value == 1
    wall.now += 0.25
    source.error = InstanceError("closed")
    with pytest.raises(InstanceError, match="closed"):
        refreshed.get()


def test_forces_a_fetch_once_in_a_while() -> None:
    """Many failures of connections at once lead to one fetch."""
    source = Source()
    refreshed = Refreshed(source.fetch, title="number")
    first = refreshed.get()

    assert refreshed.renew(first)
    second = refreshed.get()
    assert second.value == 2
    assert refreshed.renew(first)  # somebody was faster
    assert not refreshed.renew(second)
    assert refreshed.get().value == 2


def test_an_end_passed_is_an_error_when_fetching_fails() -> None:
    """What has ended is not given on; errors of others show no text."""
    source = Source(life=-1.0)
    refreshed = Refreshed(source.fetch, title="number")
    refreshed.get()
    source.error = ValueError("hunter2")

    with pytest.raises(InstanceError, match=r"^no number: ValueError$"):
        refreshed.get()


async def test_a_fetch_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits learns it in time, and the next one does not wait for the same fetch."""
    monkeypatch.setattr(_refreshed, "_LIMIT", 0.1)
    source = Source()
    source.open.clear()
    refreshed = Refreshed(source.fetch, title="number")

    with pytest.raises(InstanceError, match=r"no number within 0.1 s"):
        await refreshed.get_async()
    with pytest.raises(InstanceError, match=r"no number within 0.1 s"):
        await asyncio.to_thread(refreshed.get)
    hanging = tuple(source.threads)
    assert all(thread.daemon for thread in hanging)  # they do not keep the process from ending
    source.open.set()
    for thread in hanging:
        await asyncio.to_thread(thread.join)
    assert (await refreshed.get_async()).value == source.fetched


async def test_a_fetch_has_ten_seconds(wall: Clock) -> None:
    """Whoever asks meanwhile waits for the same one; whoever asks later gets another."""
    source = Source()
    source.open.clear()
    refreshed = Refreshed(source.fetch, title="number")
    first = asyncio.create_task(refreshed.get_async())
    await wall.advance(0)
    await wall.advance(9.75)
    joined = asyncio.create_task(refreshed.get_async())
    early = first.done()
    await wall.advance(0.25)

    assert (early, first.done()) == (False, True)
    await wall.advance(5)
    second = asyncio.create_task(refreshed.get_async())
    await wall.advance(0)
    wall.go()
    source.open.set()
    await asyncio.gather(joined, second)
    with pytest.raises(InstanceError, match="no number within 10 s"):
        await first
    await asyncio.to_thread(until, lambda: source.fetched == 2)


async def test_one_given_up_does_not_end_its_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A late answer is welcome, and others still wait for the fetch that is under way."""
    source = Source()
    source.open.clear()
    refreshed = Refreshed(source.fetch, title="number")
    with monkeypatch.context() as hasty:
        hasty.setattr(_refreshed, "_LIMIT", 0.0)
        with pytest.raises(InstanceError):
            await refreshed.get_async()
    second = asyncio.create_task(refreshed.get_async())
    await asyncio.sleep(0)
    source.open.set()

    assert (await second).value in (1, 2)


def test_the_child_of_a_fork_fetches_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the parent go with it."""
    source = Source()
    refreshed = Refreshed(source.fetch, title="number")
    refreshed.get()
    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert refreshed.get().value == 2


async def test_the_child_of_a_fork_waits_for_no_fetch_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread that fetches is not in the child, so that it would wait in vain."""
    source = Source()
    source.open.clear()
    refreshed = Refreshed(source.fetch, title="number")
    parents = asyncio.create_task(refreshed.get_async())
    await asyncio.sleep(0)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    childs = asyncio.create_task(refreshed.get_async())
    await asyncio.sleep(0)
    source.open.set()
    await asyncio.gather(parents, childs)

    assert source.fetched == 2
