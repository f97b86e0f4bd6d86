"""Routines: what the groups, callbacks and the periodic one promise."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from msp_core import deadline as deadline_module
from msp_core.deadline import Deadline
from msp_core.errors import RoutineError, StopTimeoutError
from msp_core.routines import (
    CallbackRoutine,
    CombinedRoutine,
    FIFOStopRoutine,
    LIFOStopRoutine,
    NoopRoutine,
    PeriodicRoutine,
    Routine,
    go,
)
from msp_core.routines._running import Running
from tests.msp_core.clock import clock_for_all

# Seconds; a deadline that is meant to pass.
SOON = 0.2

# Seconds; a deadline that is not.
LATE = 30.0


class Recorder:
    """A routine that notes when it is started and stopped, and can misbehave."""

    def __init__(self, name: str, notes: list[str], *, fail: str = "", hang: bool = False) -> None:
        self.name = name
        self.notes = notes
        self.fail = fail
        self.hang = hang
        self.release = asyncio.Event()
        self.finished = asyncio.Event()

    async def start(self) -> None:
        self.notes.append(f"start {self.name}")
        await self.release.wait()

    async def stop(self, deadline: Deadline) -> None:
        self.notes.append(f"stop {self.name}")
        self.release.set()
        if self.hang:
            try:
                await asyncio.Event().wait()
            finally:
                self.finished.set()
        if self.fail:
            raise OSError(self.fail)


async def started(routine: Routine) -> Running:
    """Return the routine once it runs."""
    running = Running(routine)
    await running.wait_started()
    await asyncio.sleep(0)
    return running


@pytest.mark.parametrize("kind", [CombinedRoutine, LIFOStopRoutine, FIFOStopRoutine])
async def test_starts_and_stops_each_once(kind: type[CombinedRoutine]) -> None:
    """Every member of a group is started once and stopped once."""
    notes: list[str] = []
    running = await started(kind(*(Recorder(name, notes) for name in "abc")))

    await running.stop(Deadline.after(LATE))

    assert sorted(notes) == sorted(
        [f"{verb} {name}" for verb in ("start", "stop") for name in "abc"]
    )


def test_names() -> None:
    """The names of routines are those that dashboards and logs of other runtimes show."""
    members = NoopRoutine(), CallbackRoutine()

    assert CombinedRoutine(*members).name == 'combined["noop" "callback"]'
    assert LIFOStopRoutine(*members).name == "lifo"
    assert FIFOStopRoutine(*members).name == "fifo"


@pytest.mark.parametrize(
    ("kind", "order"), [(LIFOStopRoutine, ["c", "b", "a"]), (FIFOStopRoutine, ["a", "b", "c"])]
)
async def test_stops_in_turn(kind: type[LIFOStopRoutine], order: list[str]) -> None:
    """LIFO stops the last one first and FIFO the first one first, one after the other."""
    notes: list[str] = []
    running = await started(kind(*(Recorder(name, notes) for name in "abc")))

    await running.stop(Deadline.after(LATE))

    assert [note[5:] for note in notes if note.startswith("stop")] == order


async def test_combined_starts_and_stops_at_once() -> None:
    """No member of a combined routine waits for another, whichever stands first."""
    up, down = asyncio.Barrier(3), asyncio.Barrier(2)

    class Meeting(NoopRoutine):
        async def start(self) -> None:
            await up.wait()
            await super().start()

        async def stop(self, deadline: Deadline) -> None:
            await down.wait()
            await super().stop(deadline)

    running = Running(CombinedRoutine(Meeting("a"), Meeting("b")))
    async with asyncio.timeout(LATE):
        await up.wait()
        await running.stop(Deadline.after(LATE))


@pytest.mark.parametrize("kind", [CombinedRoutine, LIFOStopRoutine, FIFOStopRoutine])
async def test_failing_stop_skips_nobody(kind: type[CombinedRoutine]) -> None:
    """One stop that fails is wrapped with the routine's name; the others are stopped as well."""
    notes: list[str] = []
    members = [Recorder("a", notes), Recorder("b", notes, fail="boom"), Recorder("c", notes)]
    running = await started(kind(*members))

    with pytest.raises(RoutineError, match=r'^stop routine "b": boom$') as caught:
        await running.stop(Deadline.after(LATE))

    assert caught.value.routine == "b"
    assert isinstance(caught.value.__cause__, OSError)
    assert {"stop a", "stop b", "stop c"} <= set(notes)


async def test_all_failures_are_told() -> None:
    """Several stops that fail are reported together."""
    notes: list[str] = []
    members = [Recorder("a", notes, fail="one"), Recorder("b", notes, fail="two")]
    running = await started(CombinedRoutine(*members))

    with pytest.raises(
        RoutineError, match=r'^stop routine "a": one; stop routine "b": two$'
    ) as told:
        await running.stop(Deadline.after(LATE))

    assert told.value.routine == "a, b"


async def test_deadline_with_partial_errors() -> None:
    """The one that hangs is named with its stack, beside what else failed, and is cancelled."""
    notes: list[str] = []
    slow = Recorder("slow", notes, hang=True)
    running = await started(CombinedRoutine(slow, Recorder("bad", notes, fail="boom")))

    with pytest.raises(StopTimeoutError) as caught:
        await running.stop(Deadline.after(SOON))

    assert str(caught.value) == (
        "unable to stop routines gracefully with partial errors:"
        ' stop routine "bad": boom: routine "slow" did not stop in time'
    )
    stacks = {
        error.routine: error.stack
        for error in caught.value.errors
        if isinstance(error, StopTimeoutError)
    }
    assert stacks.keys() == {"slow"}
    assert "in stop" in stacks["slow"]
    async with asyncio.timeout(LATE):
        await slow.finished.wait()


@pytest.mark.parametrize("kind", [LIFOStopRoutine, FIFOStopRoutine])
async def test_hang_takes_only_its_share(kind: type[LIFOStopRoutine]) -> None:
    """A step of an ordered stop that hangs leaves the later ones their time."""
    left: list[float] = []

    async def hang_or_note(deadline: Deadline) -> None:
        left.append(deadline.remaining())
        if len(left) == 1:
            await asyncio.Event().wait()

    members = [CallbackRoutine(name, stop=hang_or_note) for name in "ab"]
    running = await started(kind(*members))

    with pytest.raises(StopTimeoutError, match=r'^routine "[ab]" did not stop in time$'):
        await running.stop(Deadline.after(1))

    first, second = left
    assert 0 < first <= 0.5
    assert second > 0


async def test_members_are_due_before_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a fair share of the time left, and the last one still ends before the group."""
    monkeypatch.setattr(deadline_module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    due: dict[str, float] = {}

    def member(name: str) -> Routine:
        async def stop(deadline: Deadline) -> None:
            due[name] = deadline.remaining()

        return CallbackRoutine(name, stop=stop)

    running = await started(LIFOStopRoutine(*map(member, "abc")))
    await running.stop(Deadline.after(9.05))

    assert list(due) == ["c", "b", "a"]
    assert list(due.values()) == pytest.approx([3, 4.5, 9])


async def test_several_hang() -> None:
    """Every routine that hangs is told, without a word on partial errors when there are none."""
    notes: list[str] = []
    members = [Recorder(name, notes, hang=True) for name in "ab"]
    running = await started(CombinedRoutine(*members))

    with pytest.raises(StopTimeoutError) as caught:
        await running.stop(Deadline.after(SOON))

    assert str(caught.value) == (
        'routine "a" did not stop in time; routine "b" did not stop in time'
    )


@pytest.mark.parametrize("kind", [CombinedRoutine, LIFOStopRoutine])
async def test_group_dies_with_a_member(kind: type[CombinedRoutine]) -> None:
    """A member that raises or returns early ends the group's start and is named as the cause."""

    async def boom() -> None:
        raise ValueError("broken pipe")

    running = Running(kind(NoopRoutine("idle"), CallbackRoutine("worker", start=boom)))
    await running.wait_ended()
    death = running.death()

    assert str(death) == 'routine "worker" failed: broken pipe'
    assert isinstance(death, RoutineError)
    assert death.routine == "worker"
    await running.stop(Deadline.after(LATE))


async def test_returning_early_is_a_death() -> None:
    """A start that returns before anybody stopped the routine is reported, not taken as done."""

    async def nothing() -> None:
        return

    running = Running(CallbackRoutine("eager", start=nothing))
    await running.wait_ended()

    assert str(running.death()) == 'routine "eager" returned before it was stopped'


async def test_cancelled_is_a_death() -> None:
    """A routine whose task somebody cancels is reported as that."""

    class Cancelled(NoopRoutine):
        async def start(self) -> None:
            raise asyncio.CancelledError

    running = Running(Cancelled())
    await running.wait_ended()

    assert str(running.death()) == 'routine "noop" was cancelled'


async def test_running_is_no_death() -> None:
    """A routine that runs is not dead."""
    running = await started(NoopRoutine())

    assert running.death() is None

    await running.stop(Deadline.after(LATE))


async def test_start_that_fails_before_it_is_up() -> None:
    """Waiting for a routine to be up ends with its failure, not never."""

    class Stillborn(NoopRoutine):
        async def start(self) -> None:
            raise OSError("address in use")

        async def wait_started(self) -> None:
            await asyncio.Event().wait()

    with pytest.raises(RoutineError, match=r'^routine "noop" failed: address in use$'):
        await Running(CombinedRoutine(Stillborn())).wait_started()


async def test_wait_that_is_cut_short_leaves_no_task() -> None:
    """Whoever gives up waiting for a routine to be up leaves nothing behind that waits on."""

    class Late(NoopRoutine):
        async def wait_started(self) -> None:
            await asyncio.Event().wait()

    running = Running(Late())
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await running.wait_started()
    await asyncio.sleep(0)

    assert asyncio.all_tasks() <= before
    await running.stop(Deadline.after(LATE))


async def test_stop_that_fails_ends_the_start() -> None:
    """When stop raises, nobody will make start return: it is cancelled instead of waited for."""

    def broken(deadline: Deadline) -> None:
        raise OSError("no")

    running = await started(
        CallbackRoutine("stubborn", start=lambda: asyncio.sleep(LATE), stop=broken)
    )

    with pytest.raises(RoutineError, match=r'^stop routine "stubborn": no$'):
        await running.stop(Deadline.after(LATE))


async def test_start_that_fails_while_stopping() -> None:
    """What start raises on its way out is a failure of the stop."""

    class Clumsy(NoopRoutine):
        async def start(self) -> None:
            await super().start()
            raise OSError("half written")

    running = await started(Clumsy("writer"))

    with pytest.raises(RoutineError, match=r'^stop routine "writer": half written$'):
        await running.stop(Deadline.after(LATE))


async def test_member_that_fails_before_its_turn() -> None:
    """A routine that dies while another one is being stopped is a failure, not lost."""
    release = asyncio.Event()

    async def fail() -> None:
        await release.wait()
        raise OSError("half written")

    async def stop(deadline: Deadline) -> None:
        release.set()
        await first.wait_ended()

    lifo = LIFOStopRoutine(
        CallbackRoutine("first", start=fail), CallbackRoutine("second", stop=stop)
    )
    running = await started(lifo)
    first = lifo._running[0]

    with pytest.raises(RoutineError, match=r'^stop routine "first": half written$'):
        await running.stop(Deadline.after(LATE))


async def test_plain_callbacks_run_in_threads() -> None:
    """A plain function may block: it runs beside the event loop, and is ended by its stop."""
    release = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        threads.append(threading.current_thread())
        release.wait()

    def stop(deadline: Deadline) -> None:
        release.set()

    running = await started(CallbackRoutine("plain", start=start, stop=stop))
    await running.stop(Deadline.after(LATE))

    assert threads[0] is not threading.main_thread()


async def test_callback_without_stop_is_cancelled() -> None:
    """An `async def` start without a stop function is cancelled, and that is a normal end."""
    cancelled = asyncio.Event()
    up = asyncio.Event()

    async def start() -> None:
        up.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    running = await started(CallbackRoutine(start=start))
    await up.wait()
    await running.stop(Deadline.after(LATE))

    assert cancelled.is_set()


async def test_callback_without_start_waits() -> None:
    """A routine that only has something to do at the end just waits until then."""
    notes: list[str] = []

    async def stop(deadline: Deadline) -> None:
        notes.append("stopped")

    running = await started(CallbackRoutine(stop=stop))
    await running.stop(Deadline.after(LATE))

    assert notes == ["stopped"]


async def test_stop_before_start() -> None:
    """A callback routine that is stopped before it was started does not mind."""
    await CallbackRoutine().stop(Deadline.after(LATE))


async def test_sys_exit_is_contained() -> None:
    """A routine that calls sys.exit fails like any other; it does not tear the loop down."""

    async def leave() -> None:
        raise SystemExit(3)

    running = Running(CallbackRoutine("quitter", start=leave))
    await running.wait_ended()

    assert "called sys.exit: raise an exception instead" in str(running.death())


async def test_periodic_goes_on_after_failures(caplog: pytest.LogCaptureFixture) -> None:
    """A call that fails is logged and counted; the next one comes all the same."""
    calls: list[int] = []
    done = asyncio.Event()

    async def flaky() -> None:
        calls.append(1)
        if len(calls) in {1, 2, 4}:
            raise OSError("not yet")
        if len(calls) == 5:
            done.set()

    running = await started(PeriodicRoutine("poll", flaky, interval=0.001))
    async with asyncio.timeout(LATE):
        await done.wait()
    await running.stop(Deadline.after(LATE))

    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        'routine "poll" failed, 1 in a row',
        'routine "poll" failed, 2 in a row',
        'routine "poll" failed, 1 in a row',
    ]


async def test_periodic_gives_up() -> None:
    """After the given number of failures in a row the routine fails, with the last cause."""

    def broken() -> None:
        raise OSError("gone")

    running = Running(PeriodicRoutine("poll", broken, interval=0.001, give_up_after=3))
    await running.wait_ended()
    death = running.death()

    assert str(death) == 'routine "poll" failed 3 times in a row'
    assert isinstance(death.__cause__ if death else None, OSError)


async def test_periodic_finishes_the_call_under_way() -> None:
    """A stop makes no further call and lets the one under way finish."""
    began, release, notes = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        began.set()
        await release.wait()
        notes.append("finished")

    running = await started(PeriodicRoutine("work", work, interval=0.001, jitter=0))
    await began.wait()
    stopping = asyncio.create_task(running.stop(Deadline.after(LATE)))
    await asyncio.sleep(0)
    release.set()
    await stopping

    assert notes == ["finished"]


@pytest.mark.parametrize(
    ("chosen", "given", "seconds"),
    [(min, {}, 90), (max, {}, 110), (min, {"jitter": 1}, 0), (max, {"jitter": 1}, 200)],
)
async def test_periodic_varies_its_interval(
    monkeypatch: pytest.MonkeyPatch,
    chosen: Callable[[float, float], float],
    given: dict[str, Any],
    seconds: float,
) -> None:
    """The next call comes an interval later, by a tenth of it sooner or later where unsaid."""
    monkeypatch.setattr(random, "uniform", chosen)
    calls: list[float] = []

    async def note() -> None:
        calls.append(clock.now)

    with clock_for_all() as clock:
        began = clock.now
        running = await started(PeriodicRoutine("poll", note, interval=100, **given))
        await clock.advance(seconds - 0.5)
        await clock.advance(0.5)
        await running.stop(Deadline.after(LATE))

    assert [call - began for call in calls[:2]] == [0, seconds]


@pytest.mark.parametrize(("interval", "jitter"), [(0, 0.1), (-1, 0.1), (1, -0.1), (1, 1.1)])
def test_periodic_refuses_nonsense(interval: float, jitter: float) -> None:
    """An interval or jitter out of range is refused where it is written."""
    with pytest.raises(ValueError, match=r"an interval above 0 seconds and a jitter from 0 to 1"):
        PeriodicRoutine("x", lambda: None, interval=interval, jitter=jitter)


async def test_partial_of_async_stays_on_the_loop() -> None:
    """A partial of an `async def` is seen through: it runs on the loop, not in a thread."""
    threads: list[threading.Thread] = []

    async def note(where: list[threading.Thread]) -> None:
        where.append(threading.current_thread())

    await go(functools.partial(note, threads))

    assert threads == [threading.current_thread()]


async def test_go_isolates(caplog: pytest.LogCaptureFixture) -> None:
    """What is spawned and fails is logged under its name and takes nothing with it."""

    def boom() -> None:
        raise ValueError("x")

    await go(boom, name="refresh")

    assert "spawned 'refresh' failed" in caplog.text


def test_share_passes_leftovers_on() -> None:
    """Time that one step leaves over flows to the next, and no step gets more than its share."""
    deadline = Deadline.after(9)

    assert deadline.share(3).remaining() <= 3
    assert deadline.share(1).remaining() > 8
    assert deadline.share(0).remaining() > 8
    assert Deadline.after(-1).remaining() == 0


def test_describe_names_the_class_of_a_textless_error() -> None:
    """An error without a text is named by its class, so that no message ends in a colon."""
    from msp_core._text.failure import describe  # noqa: PLC0415 - the subject of this test alone

    assert describe(TimeoutError()) == "TimeoutError"
