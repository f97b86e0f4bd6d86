"""Patience: when to try again."""

from __future__ import annotations

import random
import threading

import pytest

from msp_bigquery._delivery.patience import Patience, Stop, pause


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
