"""What `msp dev` says about the start."""

from __future__ import annotations

from collections.abc import Sequence

from msp_dev._plan import Row

_PATHS = ("/", "/-/ready", "/-/healthz")


def table(rows: Sequence[Row]) -> str:
    """Return plugin, state and reason in three columns."""
    cells = [("plugin", "state", "reason"), *((row.plugin, row.state, row.reason) for row in rows)]
    first, second = (max(len(line[column]) for line in cells) for column in (0, 1))
    return "\n".join(f"{name:{first}}  {state:{second}}  {why}" for name, state, why in cells)


def ready(port: int, *, resources: float, service: float) -> str:
    """Return where the service answers, and how long its start took.

    Args:
        port: that it listens on.
        resources: seconds until the dev resources were ready.
        service: seconds from then until the service was.
    """
    urls = [f"  http://localhost:{port}{path}" for path in _PATHS]
    parts = f"resources {_ms(resources)}, service {_ms(service)}"
    return "\n".join([*urls, f"ready in {_ms(resources + service)} ms ({parts})"])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
