"""Durations: as a log line's field says them, and as a person reads them."""

from __future__ import annotations

import time


def seconds_since(began: float) -> float:
    """Return the seconds since a moment of `time.monotonic`, rounded."""
    return round_seconds(time.monotonic() - began)


def round_seconds(seconds: float) -> float:
    """Return the seconds to a tenth of a millisecond: more digits are noise."""
    return round(seconds, 4)


def format_seconds(seconds: float) -> str:
    """Return a duration as a person reads it: `3.1 ms`, `176 ms`, `2.59 s`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    # Below ten of them a tenth says something.
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"  # noqa: PLR2004
