"""elapsed(): the seconds that something took, as a log line's field says them."""

from __future__ import annotations

import time


def elapsed(began: float) -> float:
    """Return the seconds since a moment of `time.monotonic`, rounded."""
    return rounded(time.monotonic() - began)


def rounded(seconds: float) -> float:
    """Return the seconds to a tenth of a millisecond: more digits are noise."""
    return round(seconds, 4)
