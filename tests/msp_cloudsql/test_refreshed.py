"""Refreshed: one fetch for everyone, in time, and never on the event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from msp_cloudsql._instance import refreshed as _refreshed
from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.refreshed import Fetched, Refreshed


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


def test_fetches_again_within_the_margin() -> None:
    """A value that ends soon is replaced; one that does not is kept."""
    soon = Refreshed(Source(life=50.0).fetch, title="number", margin=60.0)
    later = Refreshed(Source(life=70.0).fetch, title="number", margin=60.0)

    assert [soon.get().value, soon.get().value] == [1, 2]
    assert [later.get().value, later.get().value] == [1, 1]


def test_gives_what_is_still_good_while_fetching_fails() -> None:
    """An outage of the source hurts no earlier than the value's end, and is not knocked at."""
    source = Source(life=50.0)
    refreshed = Refreshed(source.fetch, title="number", margin=60.0)
    refreshed.get()
    source.error = InstanceError("closed")

    assert refreshed.get().value == 1
    source.error = None
    assert refreshed.get().value == 1  # rests for ten seconds
    assert refreshed.renew(refreshed.get())
    assert refreshed.get().value == 2


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
    source.open.set()
    for thread in hanging:
        await asyncio.to_thread(thread.join)
    assert (await refreshed.get_async()).value == source.fetched


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
    """Files of the parent go with it, and a fetch of the parent never ends in the child."""
    source = Source()
    refreshed = Refreshed(source.fetch, title="number")
    refreshed.get()
    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert refreshed.get().value == 2
