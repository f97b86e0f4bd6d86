"""Ledger: what each step of a stop took, for the one line that says so."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Any

import attrs

from msp_core._text.durations import round_seconds, seconds_since
from msp_core.deadline import Deadline
from msp_core.errors import RoutineError, StopTimeoutError


@attrs.frozen(kw_only=True, eq=False)
class Step:
    """One step of a stop.

    Attributes:
        name: `drain`, or the routine's or integration's name.
        share: seconds of the budget it had.
        seconds: how long it took.
        outcome: `ok`, `failed`, or `hung`.
    """

    name: str
    share: float
    seconds: float
    outcome: str

    def __str__(self) -> str:
        """Return `redis 0.01 s`, with the outcome where it is not `ok`."""
        text = f"{self.name} {self.seconds:.2f} s"
        return text if self.outcome == "ok" else f"{text} ({self.outcome})"


class Ledger:
    """The steps of a stop, in order.

    Attributes:
        current: the step under way, for the watchdog's thread to name; empty between steps.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.current = ""

    async def measure(
        self, name: str, stop: Awaitable[None], deadline: Deadline
    ) -> RoutineError | None:
        """Await one step and record it; return, not raise, what went wrong."""
        # Before the first await: the watchdog reads it while the loop may be stuck in this step.
        self.current = name
        share, began = round_seconds(deadline.remaining()), time.monotonic()
        error: RoutineError | None = None
        try:
            await stop
        except RoutineError as failure:
            error = failure
        step = Step(
            name=name, share=share, seconds=seconds_since(began), outcome=_outcome_of(error)
        )
        self.steps.append(step)
        self.current = ""
        return error

    def __str__(self) -> str:
        """Return the steps on one line."""
        return ", ".join(str(step) for step in self.steps)

    def records(self) -> list[dict[str, Any]]:
        """Return the steps as JSON-ready records, seconds as floats."""
        return [attrs.asdict(step) for step in self.steps]


def _outcome_of(error: RoutineError | None) -> str:
    if error is None:
        return "ok"
    return "hung" if isinstance(error, StopTimeoutError) else "failed"
