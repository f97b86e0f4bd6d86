"""take_turns(): measures the contenders of a row one after the other, again and again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from benchmarks.ground import Ground
from benchmarks.growth import Curve, Growth
from benchmarks.result import Result, Series
from benchmarks.row import Measure, Row, Sample


def measure_row(row: Row | Growth, ground: Ground, tell: Callable[[str], None]) -> Result | Curve:
    """Return what the turns of a row or a growth showed."""
    series = take_turns(row, ground, tell)
    if isinstance(row, Growth):
        return Curve(row=row, series=series)
    return Result(row=row, series=series)


def take_turns(row: Row | Growth, ground: Ground, tell: Callable[[str], None]) -> Series:
    """Return samples by contender; the first of each warms up and does not count.

    Args:
        row: what to measure.
        ground: what it stands on.
        tell: is called with a few words about how far it is.
    """
    turns = ground.turns(row.turns)
    series: dict[str, list[Sample]] = {each.title: [] for each in row.contenders}
    with contextlib.ExitStack() as stack:
        measures: dict[str, Measure] = {}
        for contender in row.contenders:
            tell(f"{row.name}: opening {contender.title}")
            measures[contender.title] = stack.enter_context(contender.opening(ground))
        for turn in range(-1, turns):
            tell(f"{row.name}: turn {turn + 1} of {turns}")
            for title in _rotated(list(measures), turn):
                sample = measures[title]()
                series[title] += [sample] if turn >= 0 else []
    return series


def _rotated(titles: list[str], turn: int) -> list[str]:
    """Return the titles so that each is first as often as the others."""
    first = turn % len(titles)
    return titles[first:] + titles[:first]
