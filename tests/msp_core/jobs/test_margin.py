"""The margin between a job's early end and the platform's kill."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from msp_core import deadline, hookimpl, run


class Observer:
    """A job that notes in how many seconds after its start it would be ended."""

    name, version = "observer", "1"

    def __init__(self) -> None:
        self.seconds = 0.0

    @hookimpl
    def msp_execute(self) -> None:
        (self.seconds,) = (
            thread.interval
            for thread in threading.enumerate()
            if isinstance(thread, threading.Timer) and thread.name == "msp-deadline"
        )


@pytest.mark.parametrize(
    ("budget", "end"),
    [("9s", 990), ("1000s", 800)],
    ids=["the budget and a second", "a fifth of the deadline at most"],
)
def test_margin(monkeypatch: pytest.MonkeyPatch, budget: str, end: float) -> None:
    """A job is ended in time to be stopped within its budget, but has four fifths for its work."""
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    job = Observer()
    environ = {"JOB_EXECUTION_DEADLINE": "1000s", "MSP_SHUTDOWN_BUDGET": budget}

    assert run(job, environ=environ, plugins=()) == 0
    assert job.seconds == end
