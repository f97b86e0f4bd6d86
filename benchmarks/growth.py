"""Growth: how the cost of one thing grows with the number of something."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from benchmarks.result import Series, Verdict, median
from benchmarks.row import Contender, Opening, Sample


@attrs.frozen(kw_only=True)
class Growth:
    """A curve.

    Attributes:
        name: short, for the command line.
        title: what is measured.
        unit: of the values.
        per: what there is more and more of.
        sizes: how many, ascending; the last at least three times the one before, since what is
            judged is how steep it is between these two.
        opening: (size) -> makes that one ready to be measured.
        must: the steepest exponent: 1 is a straight line, the rest is for noise and the collector.
        aim: the exponent that is as good as flat.
        turns: of each size.
    """

    name: str
    title: str
    unit: str
    per: str
    sizes: tuple[int, ...]
    opening: Callable[[int], Opening]
    must: float = 1.15
    aim: float = 0.1
    turns: int = 3

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """All that take turns: one for each size."""
        return tuple(Contender(title=str(n), opening=self.opening(n)) for n in self.sizes)


@attrs.frozen(kw_only=True)
class Curve:
    """A measured growth.

    Attributes:
        row: what was measured.
        series: samples by size as text, in order of the turns.
    """

    row: Growth
    series: Series

    @property
    def values(self) -> list[float]:
        """The median of each size."""
        return [median([work(one) for one in samples]) for samples in self.series.values()]

    @property
    def exponent(self) -> float:
        """The exponent of the growth between the last two sizes; 1 is a straight line."""
        (*_, before, last), sizes = self.values, self.row.sizes
        return math.log(last / before) / math.log(sizes[-1] / sizes[-2])

    @property
    def verdict(self) -> Verdict:
        """Whether it grows like a line at most, or hardly at all."""
        if self.exponent <= self.row.aim:
            return "aim"
        return "must" if self.exponent <= self.row.must else "SHORT"


def work(sample: Sample) -> float:
    """Return what a curve is about: the processor's time, which a busy machine leaves alone."""
    return sample.value if sample.cpu is None else sample.cpu
