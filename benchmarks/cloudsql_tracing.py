"""What a query through this plugin's pools costs, against psycopg_pool itself; `make bench`.

The pools take turns in short blocks, so that a slow moment of the machine hits all of them, and a
pool is compared with the raw one of the same turn only. PostgreSQL is real; both pools have the
same options.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import attrs
from psycopg_pool import AsyncConnectionPool, ConnectionPool

import msp_cloudsql
from msp_cloudsql import CloudSQL, CloudSQLConfig
from msp_core import Contract, load
from msp_core.dev import DevResources

PAGE = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- begin: cloudsql tracing -->\n", "<!-- end: cloudsql tracing -->\n"
BLOCK = 100  # queries
RAW = "raw psycopg_pool"

Block = Callable[[], Awaitable[float]]


@attrs.frozen(kw_only=True)
class Result:
    """One pool's times.

    Attributes:
        kind: asyncio or threads.
        title: of the pool.
        microseconds: for one query, the median of blocks.
        ratio: to the raw pool of the same turn, the median.
    """

    kind: str
    title: str
    microseconds: float
    ratio: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write it into the page if asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cloudsql_tracing", description=__doc__
    )
    parser.add_argument("--turns", type=int, default=200, help="of each pool (default: 200)")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    options = parser.parse_args(arguments)
    report = table(measure(options.turns), options.turns)
    print(report)
    if options.write:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(head + BEGIN + report + END + rest.partition(END)[2])


def measure(turns: int) -> list[Result]:
    """Return the times of all pools, with a real PostgreSQL."""
    dev = msp_cloudsql.msp_integration().dev
    if dev is None:
        raise SystemExit("msp-cloudsql has no dev resource")
    with tempfile.TemporaryDirectory(prefix="msp-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, PostgreSQL runs as somebody else
        with DevResources({"cloudsql": dev}, folder) as resources:
            return asyncio.run(compare(resources.environ["PGDSN"], turns))


async def compare(dsn: str, turns: int) -> list[Result]:
    """Return the times of all pools at that server."""
    config = load(CloudSQLConfig, {"PGDSN": dsn})
    health = SimpleNamespace(scrub=str)
    contract = cast(
        "Contract", SimpleNamespace(name="bench", diagnostics=SimpleNamespace(health=health))
    )
    opening = msp_cloudsql.msp_integration().open
    async with opening(config, contract) as off:
        ours, ours_sync = off.pool("primary"), off.sync_pool("primary")
        if "opentelemetry.trace" in sys.modules:
            raise SystemExit("somebody imported OpenTelemetry: this would not be tracing off")
        set_provider()
        async with opening(config, contract) as on:
            raw, raw_sync = raw_pools(off, dsn.replace("{{ .Database }}", "primary"))
            async with raw:
                with raw_sync:
                    blocks = {RAW: raw, "tracing off": ours, "tracing on": on.pool("primary")}
                    sync = {RAW: raw_sync, "tracing off": ours_sync}
                    sync["tracing on"] = on.sync_pool("primary")
                    return [
                        *await take_turns(
                            "asyncio", {k: block(v) for k, v in blocks.items()}, turns
                        ),
                        *await take_turns(
                            "threads", {k: sync_block(v) for k, v in sync.items()}, turns
                        ),
                    ]


def set_provider() -> None:
    """Set a tracer provider that records and throws away."""
    from opentelemetry import trace  # noqa: PLC0415 - not before tracing off was decided
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - same

    trace.set_tracer_provider(TracerProvider())


def raw_pools(like: CloudSQL, dsn: str) -> tuple[AsyncConnectionPool, ConnectionPool]:
    """Return pools of the library's own with the same options."""
    options: dict[str, Any] = {
        name: getattr(like.pool("primary"), name)
        for name in ("min_size", "max_size", "timeout", "max_lifetime", "reconnect_timeout")
    }
    return (
        AsyncConnectionPool(dsn, open=False, check=AsyncConnectionPool.check_connection, **options),
        ConnectionPool(dsn, open=False, check=ConnectionPool.check_connection, **options),
    )


def block(pool: AsyncConnectionPool[Any]) -> Block:
    """Return what runs one block of queries and returns its seconds."""

    async def run() -> float:
        began = time.perf_counter()
        for _ in range(BLOCK):
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
        return time.perf_counter() - began

    return run


def sync_block(pool: ConnectionPool[Any]) -> Block:
    """Return the same for threads."""

    def run() -> float:
        began = time.perf_counter()
        for _ in range(BLOCK):
            with pool.connection() as connection:
                connection.execute("SELECT 1")
        return time.perf_counter() - began

    async def in_thread() -> float:
        return await asyncio.to_thread(run)

    return in_thread


async def take_turns(kind: str, blocks: dict[str, Block], turns: int) -> list[Result]:
    """Return the times of pools that take turns, each first as often as the others."""
    times: dict[str, list[float]] = {title: [] for title in blocks}
    titles = list(blocks)
    gc.collect()
    gc.disable()
    for turn in range(-3, turns):  # the first ones do not count
        first = turn % len(titles)
        for title in titles[first:] + titles[:first]:
            seconds = await blocks[title]()
            times[title] += [seconds] if turn >= 0 else []
    gc.enable()
    return [
        Result(
            kind=kind,
            title=title,
            microseconds=statistics.median(found) / BLOCK * 1e6,
            ratio=statistics.median(
                mine / raw for mine, raw in zip(found, times[RAW], strict=True)
            ),
        )
        for title, found in times.items()
    ]


def table(results: Sequence[Result], turns: int) -> str:
    """Return the results as a Markdown table with a line about where they are from."""
    lines = ["| pool for | | one query | to raw |", "|---|---|---:|---:|"]
    lines += [
        f"| {each.kind} | {each.title} | {each.microseconds:.0f} µs | {each.ratio - 1:+.1%} |"
        for each in results
    ]
    about = (
        f"{turns} turns of {BLOCK} queries each; Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    )
    return "\n".join([*lines, "", f"{about}.", ""])


if __name__ == "__main__":
    main()
