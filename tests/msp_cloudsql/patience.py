"""until(): waits for something that another thread, process or server does."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds; only reached when something is broken.
PATIENCE = 60.0


def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "never happened"
        time.sleep(0.05)
