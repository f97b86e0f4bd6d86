"""Growth: how the cost of one thing grows with the number of something."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import attrs

from benchmarks.result import Series, Verdict, median_of
from benchmarks.row import Contender, Opening

# The exponent of a straight line, and a tenth for noise.
LINEAR = 1.1
# As good as no growth at all.
FLAT = 0.1


@attrs.frozen(kw_only=True)
class Growth:
    """A curve.

    Attributes:
        name: short, for the command line.
        title: what is measured.
        unit: of the values.
        per: what there is more and more of.
        sizes: how many, ascending; at least three.
        opening: (size) -> makes that one ready to be measured.
        turns: of each size.
    """

    name: str
    title: str
    unit: str
    per: str
    sizes: tuple[int, ...]
    opening: Callable[[int], Opening]
    turns: int = 5
    peers: bool = False

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """All that take turns: one for each size."""
        return tuple(Contender(title=f"{n:,}", opening=self.opening(n)) for n in self.sizes)


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
        return [median_of(samples) for samples in self.series.values()]

    @property
    def exponents(self) -> list[float]:
        """The exponent of the growth between the last two sizes, of each turn: 1 is a line."""
        before, last = list(self.series.values())[-2:]
        times = math.log(self.row.sizes[-1] / self.row.sizes[-2])
        return [
            math.log(two.value / one.value) / times for one, two in zip(before, last, strict=True)
        ]

    @property
    def exponent(self) -> float:
        """The median of the exponents."""
        return statistics.median(self.exponents)

    @property
    def verdict(self) -> Verdict:
        """Whether it grows like a line at most, or hardly at all."""
        if self.exponent <= FLAT:
            return "aim"
        return "must" if self.exponent <= LINEAR else "SHORT"


def label(sizes: Sequence[int]) -> str:
    """Return the first and the last size, as a range."""
    return f"{sizes[0]:,} → {sizes[-1]:,}"
