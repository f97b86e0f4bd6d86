"""What `msp dev` says about the start."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from msp_dev._plan import Row

_PATHS = ("/", "/-/ready", "/-/healthz")
_STEPS = ("plugins", "resources", "service")


def table(rows: Sequence[Row]) -> str:
    """Return plugin, state and reason in three columns."""
    cells = [("plugin", "state", "reason"), *((row.plugin, row.state, row.reason) for row in rows)]
    first, second = (max(len(line[column]) for line in cells) for column in (0, 1))
    return "\n".join(f"{name:{first}}  {state:{second}}  {why}" for name, state, why in cells)


def ready_banner(
    port: int, started: Mapping[str, Mapping[str, str]], moments: Sequence[float]
) -> str:
    """Return where the service and its resources answer, and how long the start took.

    Args:
        port: that the service listens on.
        started: the variables of each dev resource, by name of the integration.
        moments: seconds on one clock: when the command began, plugins were loaded, dev resources
            were ready, the service was ready.
    """
    urls = [f"  http://localhost:{port}{path}" for path in _PATHS]
    urls += [f"  {origin}/  {name}" for name, origin in _origins(started)]
    steps = zip(_STEPS, itertools.pairwise(moments), strict=True)
    parts = ", ".join(f"{step} {_ms(end - begin)}" for step, (begin, end) in steps)
    return "\n".join([*urls, f"ready in {_ms(moments[-1] - moments[0])} ms ({parts})"])


def left_running(names: Sequence[str]) -> str:
    """Return what goes on running after us; empty when nothing does."""
    if not names:
        return ""
    return f"{', '.join(names)}: still used by another command here; runs until the last one leaves"


def _origins(started: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (integration, origin) of what a browser can look at; a URL's key is not shown."""
    for name, variables in started.items():
        urls = (text for text in variables.values() if text.startswith("http://"))
        hosts = (urlsplit(url).netloc.rpartition("@")[2] for url in urls)
        for host in dict.fromkeys(hosts):
            yield name, f"http://{host}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
