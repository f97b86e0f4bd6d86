"""Result: what the turns of a row showed, and whether it is good enough."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from benchmarks.row import Row, Sample

Verdict = Literal["aim", "must", "SHORT", ""]
Series = Mapping[str, Sequence[Sample]]


@attrs.frozen(kw_only=True)
class Result:
    """A measured row.

    Attributes:
        row: what was measured.
        series: samples by title of the contender, in order of the turns.
    """

    row: Row
    series: Series

    @property
    def reference(self) -> str:
        """The title of the reference that counts: the best by its median."""
        best = min if self.row.better == "less" else max
        titles = [contender.title for contender in self.row.references]
        return best(titles, key=lambda title: median_of(self.series[title]))

    @property
    def ratios(self) -> list[float]:
        """Subject to reference, of each turn: a slow minute of the machine hits both."""
        return self._ratios([[one.value for one in each] for each in self._compared])

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The first and the third quartile of the ratios."""
        return quartiles(self.ratios)

    @property
    def cpu_ratio(self) -> float | None:
        """The median ratio by the processor's time; None where it was not measured."""
        compared = [[one.cpu for one in each if one.cpu is not None] for each in self._compared]
        turns = len(self._compared[0])
        if any(len(each) < turns for each in compared):
            return None
        return median(self._ratios(compared))

    @property
    def verdict(self) -> Verdict:
        """Which target is reached: the aim, what must be, or none of them."""
        if self.row.must is None or self.row.aim is None:
            return ""
        sign = 1 if self.row.better == "less" else -1
        if sign * self.ratio <= sign * self.row.aim:
            return "aim"
        return "must" if sign * self.ratio <= sign * self.row.must else "SHORT"

    @property
    def _compared(self) -> list[Sequence[Sample]]:
        base = [self.series[self.row.base.title]] if self.row.base else []
        return [self.series[self.row.subject.title], self.series[self.reference], *base]

    def _ratios(self, compared: Sequence[Sequence[float]]) -> list[float]:
        subject, reference, *base = compared
        if base:
            # Two small differences: turn by turn they would be mostly noise.
            least = median(base[0])
            subject, reference = (
                [value - least for value in subject],
                [median(reference) - least] * len(subject),
            )
        return [mine / theirs for mine, theirs in zip(subject, reference, strict=True)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def median_of(samples: Sequence[Sample]) -> float:
    """Return the median of the values."""
    return median([one.value for one in samples])


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile; of a single value, that value twice."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high
