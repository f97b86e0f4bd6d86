"""Curves: what grows with the number of something."""

from __future__ import annotations

import contextlib
import functools
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import site_packages
from benchmarks.ground import Ground
from benchmarks.growth import Growth
from benchmarks.measures import block, once, response_time
from benchmarks.row import Measure, Opening
from benchmarks.rows.http import HELLO_QUIET

DECLARED = "services/declared.py"
NOT_KEPT = {"MSP_DECLARATION_CACHE": "false"}
# Descriptors that a process needs beside its connections.
SPARE = 500


def in_folder(
    fill: Callable[[Path, int], None], many: int, environ: dict[str, str], repeat: int
) -> Opening:
    """Measure the job that declares its plugins, with a folder of distributions beside it."""

    @contextlib.contextmanager
    def opening(ground: Ground) -> Iterator[Measure]:
        folder = ground.folder / f"{fill.__name__}-{many}"
        if not folder.exists():
            fill(folder, many)
        path = {"MORE_PATH": str(folder), **environ}
        with once(DECLARED, environ=path, repeat=repeat)(ground) as measure:
            yield measure

    return opening


def most_connections() -> int:
    """Return how many connections a process may have, at most 10,000."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(10_000, soft - SPARE)


ROWS = (
    Growth(
        name="growth-distributions",
        title="five plugins found and a job done, declaration kept",
        unit="ms",
        per="distributions beside it",
        sizes=(20, 300, 1000, 3000),
        opening=lambda n: in_folder(site_packages.many_distributions, n, {}, 2),
    ),
    Growth(
        name="growth-distributions-first",
        title="five plugins found and a job done, first start",
        unit="ms",
        per="distributions beside it",
        sizes=(20, 300, 1000, 3000),
        opening=lambda n: in_folder(site_packages.many_distributions, n, NOT_KEPT, 1),
    ),
    Growth(
        name="growth-plugins",
        title="plugins found, opened and closed, and a job done",
        unit="ms",
        per="plugins",
        sizes=(1, 5, 15, 50),
        opening=lambda n: in_folder(site_packages.many_plugins, n, {}, 2),
    ),
    Growth(
        name="growth-variables",
        title="variables read into a record",
        unit="µs",
        per="variables",
        sizes=(10, 100, 500, 2000),
        opening=lambda n: block("services/variables.py", str(n)),
    ),
    Growth(
        name="growth-checks",
        title="one round of health checks",
        unit="µs",
        per="checks",
        sizes=(1, 10, 50, 200),
        opening=lambda n: block("services/checks.py", str(n)),
    ),
    Growth(
        name="growth-routines",
        title="routines started and stopped",
        unit="ms",
        per="routines",
        sizes=(1, 50, 250, 1000),
        opening=lambda n: once("services/routines.py", str(n)),
    ),
    Growth(
        name="growth-connections",
        title="processor time of a request, hello, access log off",
        unit="µs",
        per="open connections",
        sizes=(1, 100, 1000, most_connections()),
        opening=functools.partial(response_time, HELLO_QUIET),
        turns=3,
    ),
)
