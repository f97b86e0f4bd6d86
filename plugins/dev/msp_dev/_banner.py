"""What `msp dev` says about the start."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from msp_dev._plan import Row

_PATHS = ("/", "/-/ready", "/-/healthz")
_STEPS = ("plugins", "resources", "service")


def table(rows: Sequence[Row]) -> str:
    """Return plugin, state and reason in three columns."""
    cells = [("plugin", "state", "reason"), *((row.plugin, row.state, row.reason) for row in rows)]
    first, second = (max(len(line[column]) for line in cells) for column in (0, 1))
    return "\n".join(f"{name:{first}}  {state:{second}}  {why}" for name, state, why in cells)


def ready(port: int, moments: Sequence[float]) -> str:
    """Return where the service answers, and how long its start took.

    Args:
        port: that it listens on.
        moments: seconds on one clock: when the command began, plugins were loaded, dev resources
            were ready, the service was ready.
    """
    urls = [f"  http://localhost:{port}{path}" for path in _PATHS]
    steps = zip(_STEPS, itertools.pairwise(moments), strict=True)
    parts = ", ".join(f"{step} {_ms(end - begin)}" for step, (begin, end) in steps)
    return "\n".join([*urls, f"ready in {_ms(moments[-1] - moments[0])} ms ({parts})"])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
