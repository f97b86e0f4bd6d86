"""BigQuery: many rows through a buffered writer while the emulator restarts twice.

The writer runs in a process of its own, so that its memory is measured and nothing else's. Every
row must be in the table afterwards, and none of them twice.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import psutil

from msp_bigquery import BigQueryConfig
from msp_bigquery._dev import bigquery_emulator
from msp_bigquery._plugin import open_bigquery
from msp_core.config import load
from msp_core.dev import DevResources

SCHEMA = [
    {"name": "n", "type": "INTEGER"},
    {"name": "path", "type": "STRING"},
    {"name": "seconds", "type": "FLOAT"},
    {"name": "at", "type": "TIMESTAMP"},
]
STEP = 1000  # rows between two lines of progress
HEAD = (
    "| way | rows in the table | different | seconds | rows/s "
    "| pending at most | memory before | memory peak |"
)
WAYS = {"streaming inserts": False, "Storage Write API": True}


@attrs.frozen(kw_only=True)
class Result:
    """What one run showed.

    Attributes:
        seconds: from the first row until all were durable, both restarts included.
        rows: in the table.
        distinct: different ones among them.
        before: resident set of the writing process before the first row, in bytes.
        peak: its largest resident set.
        pending: rows that were not yet durable, at most.
    """

    seconds: float
    rows: int
    distinct: int
    before: int
    peak: int
    pending: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table; return 1 when a row is missing or doubled."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bigquery_writer")
    parser.add_argument("--rows", type=int, default=1_000_000, help="to write (default: 1000000)")
    parser.add_argument("--restarts", type=int, default=2, help="of the emulator (default: 2)")
    parser.add_argument("--write", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.write:
        asyncio.run(write(options.rows, storage=WAYS[options.write]))
        return 0
    results = {way: measure(way, options.rows, options.restarts) for way in WAYS}
    print(table(results, options.rows, options.restarts))
    return int(any((one.rows, one.distinct) != (options.rows,) * 2 for one in results.values()))


def measure(way: str, rows: int, restarts: int) -> Result:
    """Write rows by one way, restart the emulator meanwhile, and count what arrived."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "schemas").mkdir()
        (folder / "schemas" / "requests.json").write_text(json.dumps(SCHEMA))
        dev = functools.partial(bigquery_emulator, schemas=folder / "schemas")
        with DevResources({"bigquery": dev}, folder) as emulator:
            said = _follow(way, rows, restarts, emulator)
            rows_, distinct = asyncio.run(_count(emulator.environ))
    return Result(rows=rows_, distinct=distinct, **said)


def _follow(way: str, rows: int, restarts: int, emulator: DevResources) -> dict[str, Any]:
    """Start the writing process, restart the emulator as it proceeds, return its last line."""
    command = [sys.executable, "-m", "benchmarks.bigquery_writer", "--write", way]
    environ = os.environ | emulator.environ
    marks = [rows * number // (restarts + 1) for number in range(1, restarts + 1)]
    said: dict[str, Any] = {}
    with subprocess.Popen(
        [*command, "--rows", str(rows)], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - opened as a pipe
        for line in process.stdout:
            said = json.loads(line)
            if marks and said.get("accepted", 0) >= marks[0]:
                marks.pop(0)
                emulator.stop()
                emulator.start()
    return said


async def write(rows: int, *, storage: bool) -> None:
    """Write rows and print progress; the last line is about time and memory."""
    config = load(BigQueryConfig, os.environ)
    contract: Any = SimpleNamespace(name="benchmark")
    async with open_bigquery(config, contract) as bigquery:
        writer = bigquery.table_writer("requests", storage=storage, insert_ids=True)
        buffered = writer.buffered(max_rows=5000)
        bigquery.client()  # its import belongs to the memory before
        before, start, pending = psutil.Process().memory_info().rss, time.monotonic(), 0
        for n in range(rows):
            await buffered.write(
                {
                    "n": n,
                    "path": f"/users/{n % 997}",
                    "seconds": n / 1000,
                    "at": "2026-01-02T03:04:05Z",
                }
            )
            if n % STEP == 0:
                pending = max(pending, buffered.counts.pending)
                print(json.dumps({"accepted": n}), flush=True)
        await buffered.flush()
        seconds = time.monotonic() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    last = {"seconds": seconds, "before": before, "peak": peak, "pending": pending}
    print(json.dumps(last), flush=True)


async def _count(environ: Mapping[str, str]) -> tuple[int, int]:
    contract: Any = SimpleNamespace(name="benchmark")
    async with open_bigquery(load(BigQueryConfig, environ), contract) as bigquery:
        query = "SELECT COUNT(*) AS total, COUNT(DISTINCT n) AS distinct_ FROM requests"
        (row,) = await asyncio.to_thread(bigquery.client().query_and_wait, query)
    return row.total, row.distinct_


def table(results: Mapping[str, Result], rows: int, restarts: int) -> str:
    """Return the results as a table for `README.md`."""
    python, cores = platform.python_version(), os.cpu_count()
    title = f"{rows:,} rows, {restarts} restarts of the emulator, insert ids."
    lines = [
        f"{title} Python {python}, {cores} cores.",
        "",
        HEAD,
        "|---" * HEAD.count(" | ") + "|---|",
    ]
    for way, one in results.items():
        rate, before, peak = one.rows / one.seconds, one.before / 2**20, one.peak / 2**20
        counts = f"{one.rows:,} | {one.distinct:,} | {one.seconds:.0f} | {rate:,.0f}"
        memory = f"{one.pending:,} | {before:.0f} MB | {peak:.0f} MB"
        lines.append(f"| {way} | {counts} | {memory} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
