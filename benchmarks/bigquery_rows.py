"""BigQuery: what a row costs the process that writes it, against Google's clients by hand.

The other end takes everything and is a process of its own: `benchmarks.bigquery_sink`.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import attrs
from google.cloud.bigquery_storage_v1 import types

from benchmarks.bigquery_sink import SCHEMA
from msp_bigquery import JSON, BigQuery, BigQueryConfig, BufferedWriter
from msp_bigquery._plugin import open_bigquery
from msp_bigquery._storage.table_proto import TableProto
from msp_core.config import load

Way = Callable[[Sequence["Request"]], Awaitable[None]]
"""(rows) -> nothing, once they are durable."""

BATCH = 500  # rows of a request
HEAD = "| way | CPU of a row | rows/s |\n|---|---:|---:|"


@attrs.frozen(kw_only=True)
class Request:
    """A row of eleven columns, 420 bytes of JSON."""

    at: dt.datetime
    method: str
    path: str
    status: int
    seconds: float
    price: Decimal
    cached: bool
    visitor: str
    referrer: str | None
    agent: str
    headers: JSON


@attrs.frozen
class Result:
    """What one way of writing cost in one round.

    Attributes:
        cpu: seconds of all threads of the process, for a row.
        wall: seconds for a row.
    """

    cpu: float
    wall: float


def make_rows(count: int) -> list[Request]:
    """Return rows, no two of which are equal."""
    start = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    return [
        Request(
            at=start + dt.timedelta(milliseconds=n * 17),
            method="GET",
            path=f"/articles/{n % 997}/comments",
            status=200,
            seconds=n / 1000,
            price=Decimal(n).scaleb(-4),
            cached=n % 2 == 0,
            visitor=f"visitor-{n:08}",
            referrer=None,
            agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            headers=JSON({"accept": "text/html", "dnt": 1, "cookies": ["a", "b"], "n": n}),
        )
        for n in range(count)
    ]


def as_json(row: Request) -> dict[str, Any]:
    """Convert a row as somebody would who writes it by hand."""
    return {
        "at": row.at.isoformat(),
        "method": row.method,
        "path": row.path,
        "status": row.status,
        "seconds": row.seconds,
        "price": str(row.price),
        "cached": row.cached,
        "visitor": row.visitor,
        "referrer": row.referrer,
        "agent": row.agent,
        "headers": json.dumps(row.headers.value),
    }


class ByHand:
    """Google's clients alone, in batches, in one thread.

    Args:
        bigquery: gives the clients.
    """

    def __init__(self, bigquery: BigQuery) -> None:
        self._bigquery = bigquery
        from google.cloud.bigquery import SchemaField  # noqa: PLC0415 - while it opens

        fields = [SchemaField.from_api_repr(one) for one in SCHEMA]
        self._proto = TableProto.of(fields)

    async def insert(self, rows: Sequence[Request]) -> None:
        """Insert rows with `insert_rows_json`."""
        client = self._bigquery.client()
        for first in range(0, len(rows), BATCH):
            batch = [as_json(row) for row in rows[first : first + BATCH]]
            client.insert_rows_json(self._bigquery.table("t"), batch, row_ids=[None] * len(batch))

    async def append(self, rows: Sequence[Request]) -> None:
        """Append rows with one bare call of AppendRows, converted by hand."""
        client = self._bigquery._google.write_client()  # noqa: SLF001 - the same one
        answers = client.append_rows(iter(map(self._request, _batches(rows))))
        for _ in answers:
            pass

    def _request(self, rows: Sequence[Request]) -> types.AppendRowsRequest:
        request = types.AppendRowsRequest(
            write_stream="projects/p/datasets/d/tables/t/streams/_default"
        )
        message = types.AppendRowsRequest.pb(request)
        message.proto_rows.writer_schema.proto_descriptor.CopyFrom(self._proto.descriptor)
        epoch, second = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)
        for row in rows:
            values = as_json(row) | {"at": (row.at - epoch) // second}
            encoded = self._proto.message(**values).SerializeToString()
            message.proto_rows.rows.serialized_rows.append(encoded)
        return request


def _batches(rows: Sequence[Request]) -> list[Sequence[Request]]:
    return [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]


async def write_each(buffered: BufferedWriter, rows: Sequence[Request]) -> None:
    """Write rows into a buffer, a call for each."""
    for row in rows:
        await buffered.write(row)
    await buffered.flush()


async def write_hundreds(buffered: BufferedWriter, rows: Sequence[Request]) -> None:
    """Write rows into a buffer, a call for a hundred."""
    for first in range(0, len(rows), 100):
        await buffered.write(*rows[first : first + 100])
    await buffered.flush()


async def measure(environ: Mapping[str, str], rows: int, rounds: int) -> dict[str, list[Result]]:
    """Measure each way in turn, so that a slow minute hits all of them."""
    contract: Any = SimpleNamespace(name="benchmark")
    ids = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}
    given = make_rows(rows)
    async with open_bigquery(load(BigQueryConfig, ids | dict(environ)), contract) as bigquery:

        def buffered(**options: bool) -> BufferedWriter:
            return bigquery.table_writer("t", **options).buffered()  # type: ignore[arg-type]

        by_hand = ByHand(bigquery)
        streaming, storage = buffered(), buffered(storage=True)
        streaming_ids = buffered(insert_ids=True)
        storage_ids = buffered(storage=True, insert_ids=True)
        ways: dict[str, Way] = {
            "by hand: `insert_rows_json`": by_hand.insert,
            "streaming inserts": lambda rows: write_each(streaming, rows),
            "streaming inserts, `insert_ids`": lambda rows: write_each(streaming_ids, rows),
            "streaming inserts, 100 rows a call": lambda rows: write_hundreds(streaming, rows),
            "by hand: bare `AppendRows`": by_hand.append,
            "Storage Write API": lambda rows: write_each(storage, rows),
            "Storage Write API, `insert_ids`": lambda rows: write_each(storage_ids, rows),
            "Storage Write API, 100 rows a call": lambda rows: write_hundreds(storage, rows),
        }
        for write in ways.values():  # imports and connections are not what is measured
            await write(given[:BATCH])
        results: dict[str, list[Result]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, write in ways.items():
                cpu, wall = time.process_time(), time.perf_counter()
                await write(given)
                cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                results[way].append(Result(cpu / rows, wall / rows))
    return results


def render(results: Mapping[str, Sequence[Result]], rows: int) -> str:
    """Return the medians as a table for `README.md`."""
    lines = [HEAD]
    for way, rounds in results.items():
        cpu = statistics.median(one.cpu for one in rounds) * 1e6
        rate = 1 / statistics.median(one.wall for one in rounds)
        lines.append(f"| {way} | {cpu:.1f} µs | {rate:,.0f} |")
    count = len(next(iter(results.values())))
    python, cores = platform.python_version(), os.cpu_count()
    lines += [
        "",
        f"{count} rounds of {rows:,} rows each, taking turns; Python {python}, {cores} cores.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the sink, measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bigquery_rows")
    parser.add_argument("--rows", type=int, default=50_000, help="of a round (default: 50000)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    options = parser.parse_args(arguments)
    command = [sys.executable, "-m", "benchmarks.bigquery_sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None  # noqa: S101 - opened as a pipe
        environ = json.loads(sink.stdout.readline())
        print(render(asyncio.run(measure(environ, options.rows, options.rounds)), options.rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
