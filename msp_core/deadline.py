"""Deadline: a moment on the monotonic clock before which something must be done."""

from __future__ import annotations

import time
from contextvars import ContextVar

import attrs


@attrs.frozen
class Deadline:
    """A moment on `time.monotonic`; passed to what must stop in time.

    Attributes:
        when: seconds on the monotonic clock.
    """

    when: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left, never below 0."""
        return max(0.0, self.when - time.monotonic())

    def share(self, parts: int) -> Deadline:
        """Return the deadline of the first of `parts` steps that have equal claims on the rest.

        Asked again before each step with one part fewer, time that a step leaves over flows to
        the later ones, and a step that hangs cannot take theirs.
        """
        return Deadline.after(self.remaining() / max(1, parts))


# When an integration must be closed: set by the runtime where the context manager that its `open`
# returned is left. None elsewhere.
close_deadline: ContextVar[Deadline | None] = ContextVar("close_deadline", default=None)


def closing(at_most: float, *, keep: float = 0.2) -> Deadline:
    """Return when an integration has to be done with closing: a little before the runtime's.

    Args:
        at_most: seconds from now that it may take where the runtime gives more, or gives none.
        keep: seconds that are left over of the runtime's, so that it finds nobody late, and for
            what is still to do then. Default 0.2.
    """
    given = close_deadline.get()
    left = at_most if given is None else given.remaining() - keep
    return Deadline.after(max(0.0, min(at_most, left)))
