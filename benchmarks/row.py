"""Row: one line of the table: what is measured, against what, and how good it must be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from benchmarks.ground import Ground

Better = Literal["less", "more"]


@attrs.frozen(kw_only=True)
class Sample:
    """One measurement of one contender.

    Attributes:
        value: by the clock on the wall, in the unit of the row.
        cpu: the same by the processor's time of the measured process, in the same unit and
            direction; None where it means nothing.
    """

    value: float
    cpu: float | None = None


Measure = Callable[[], Sample]


# Makes a contender ready to be measured, gives what measures it once, and ends it.
Opening: TypeAlias = Callable[["Ground"], contextlib.AbstractContextManager[Measure]]


@attrs.frozen(kw_only=True)
class Contender:
    """What takes its turn.

    Attributes:
        title: in tables and plots.
        opening: makes it ready to be measured, and ends it.
    """

    title: str
    opening: Opening


@attrs.frozen(kw_only=True)
class Row:
    """A comparison.

    Attributes:
        name: short, for the command line.
        title: what is measured.
        against: what the ratio is to.
        unit: of the values.
        better: whether less or more of it.
        must: the ratio that has to be reached; None for a row that only informs.
        aim: the ratio that is hoped for.
        subject: ours.
        references: what it is compared with; the best of them counts.
        base: what both share and is taken off before they are compared; None: nothing.
        turns: of each contender.
        peers: whether the other runtimes' environment is needed.
    """

    name: str
    title: str
    against: str
    unit: str
    better: Better
    must: float | None = None
    aim: float | None = None
    subject: Contender
    references: tuple[Contender, ...]
    base: Contender | None = None
    turns: int = 10
    peers: bool = False

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """All that take turns."""
        return (self.subject, *self.references, *([self.base] if self.base else []))
