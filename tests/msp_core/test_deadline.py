"""Deadlines: how long an integration may take to close."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from msp_core.deadline import Deadline, close_deadline, closing


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)


@pytest.fixture
def given(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have the runtime give so many seconds."""
    token = close_deadline.set(Deadline.after(request.param))
    yield
    close_deadline.reset(token)


def seconds(deadline: Deadline) -> float:
    """Return what is left, without the noise of floats."""
    return round(deadline.remaining(), 6)


def test_without_a_deadline_of_the_runtime() -> None:
    """Whoever opens an integration by hand has its own bound."""
    assert seconds(closing(5)) == 5


@pytest.mark.parametrize("given", [2.0], indirect=True)
@pytest.mark.usefixtures("given")
def test_the_runtime_finds_nobody_late() -> None:
    """A margin of what it gives is left over: 0.2 s, or what the integration says."""
    assert seconds(closing(5)) == 1.8
    assert seconds(closing(5, keep=0.5)) == 1.5
    assert seconds(closing(1)) == 1


@pytest.mark.parametrize("given", [0.1], indirect=True)
@pytest.mark.usefixtures("given")
def test_no_time_is_left() -> None:
    """It is over at once, and not before."""
    assert closing(5).when == 1000.0
