"""Patience and Outage: when to try again, and how much to say about it."""

from __future__ import annotations

import logging
import random
import threading
import time

import pytest

from msp_bigquery._outage import Outage
from msp_bigquery._patience import Patience, Stop, pause


def test_pauses_grow_and_stay_bounded() -> None:
    """They double up to a limit, and are spread over half their length."""
    longest = [pause(failures, 1.0) for failures in (1, 2, 3, 6, 1000)]
    shortest = [pause(failures, 0.0) for failures in (1, 2, 3, 6, 1000)]

    assert longest == [0.2, 0.4, 0.8, 5.0, 5.0]
    assert shortest == [one / 2 for one in longest]


def test_an_attempt_takes_no_longer_than_what_is_left() -> None:
    """But never nothing: the libraries do not take a timeout of 0."""
    assert Patience(Stop()).attempt() == 10.0
    assert 0.05 <= Patience(Stop(), 2.0).attempt() <= 2.0
    assert Patience(Stop(), 0.0).attempt() == 0.05


def test_does_not_pause_beyond_its_time() -> None:
    """Who gives up in the end gives up at once."""
    assert not Patience(Stop(), 0.05).wait(1)


def test_a_stop_ends_every_pause() -> None:
    """Whoever waits is told, and does not try again."""
    stop = Stop()
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(Patience(stop).wait(1000)))
    waiting.start()
    stop.stop()
    waiting.join(10)

    assert answers == [False]
    assert not Patience(stop).wait(1000)


def test_hurrying_keeps_pauses_short() -> None:
    """With little time left, there is one more attempt and then another."""
    stop = Stop()
    stop.hurry()

    assert Patience(stop).wait(1000)


def test_pauses_5_seconds_at_most_and_a_fifth_of_one_in_a_hurry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever hurries is not held up by those that failed together."""
    stop, waited = Stop(), list[float]()
    monkeypatch.setattr(random, "random", lambda: 1.0)
    monkeypatch.setattr(stop.hurried, "wait", waited.append)
    monkeypatch.setattr(stop.stopped, "wait", waited.append)

    assert Patience(stop).wait(1000)
    stop.hurry()
    assert Patience(stop).wait(1000)
    assert waited == [5.0, 0.2]


def test_tells_once_and_remembers(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One warning an outage, one line for its end, and no flood when it flickers."""
    caplog.set_level(logging.INFO, "msp.bigquery")
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    outage = Outage("t")
    outage.end()
    for _ in range(3):
        outage.begin("down")
    clock[0] += 7.5
    outage.end()
    for _ in range(50):
        outage.begin("down")
        outage.end()
    clock[0] += 31
    outage.begin("down")

    assert [one.levelname for one in caplog.records] == ["WARNING", "INFO", "WARNING"]
    assert caplog.messages[1] == "table 't' takes rows again, after 7.5 s"


def test_an_old_failure_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that nobody writes to any more must not be unhealthy for ever."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    outage = Outage("t")

    assert outage.current() is None

    outage.begin("down")
    clock[0] += 5
    outage.begin("still down")

    assert outage.current() == "table 't' takes no rows since 5 s: still down"

    clock[0] += 61

    assert outage.current() is None
