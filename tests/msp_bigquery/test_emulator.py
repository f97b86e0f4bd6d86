"""Google's own clients against the emulator: both ways write the same, and nothing twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from msp_bigquery import JSON, BigQuery, BigQueryConfig, Row, RowsRefusedError, WriteError
from msp_bigquery._dev import bigquery_emulator
from msp_bigquery._plugin import open_bigquery
from msp_core import Contract
from msp_core.config import load
from msp_core.dev import DevResources

KINDS = {
    "text": "STRING",
    "raw": "BYTES",
    "n": "INTEGER",
    "x": "FLOAT",
    "yes": "BOOLEAN",
    "price": "NUMERIC",
    "at": "TIMESTAMP",
    "local": "DATETIME",
    "day": "DATE",
    "clock": "TIME",
    "data": "JSON",
}
BOTH = pytest.mark.parametrize("storage", [False, True], ids=["insertAll", "storage"])


@attrs.frozen(kw_only=True)
class Place:
    city: str
    codes: list[int]


@attrs.frozen(kw_only=True)
class Everything:
    text: str = 'ä"\n'
    raw: bytes = b"\x00\xff"
    n: int = 2**63 - 1
    x: float = 0.1
    yes: bool = True
    price: Decimal = Decimal("12345.678900001")
    at: dt.datetime = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    local: dt.datetime = dt.datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001 - a DATETIME
    day: dt.date = dt.date(2026, 1, 2)
    clock: dt.time = dt.time(3, 4, 5, 6)
    data: JSON = JSON({"a": [1, None, "ä"]})  # noqa: RUF009 - immutable
    place: Place
    places: tuple[Place, ...] = ()
    tags: list[str]
    nothing: str | None = None


def write_schemas(folder: Path) -> Path:
    """Write the tables that the tests use; return their folder."""
    place = [
        {"name": "city", "type": "STRING"},
        {"name": "codes", "type": "INTEGER", "mode": "REPEATED"},
    ]
    everything: list[dict[str, Any]] = [
        {"name": name, "type": kind} for name, kind in KINDS.items()
    ]
    everything += [
        {"name": "place", "type": "RECORD", "fields": place},
        {"name": "places", "type": "RECORD", "mode": "REPEATED", "fields": place},
        {"name": "tags", "type": "STRING", "mode": "REPEATED"},
        {"name": "nothing", "type": "STRING"},
    ]
    numbers = [{"name": "run", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]
    folder.mkdir()
    (folder / "everything.json").write_text(json.dumps(everything))
    (folder / "numbers.json").write_text(json.dumps(numbers))
    return folder


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Give the variables of an emulator that all tests of this file share."""
    folder = tmp_path_factory.mktemp("bigquery")
    dev = partial(bigquery_emulator, schemas=write_schemas(folder / "schemas"))
    with DevResources({"bigquery": dev}, folder) as resources:
        yield resources.environ


@pytest.fixture
def stoppable(tmp_path: Path) -> Iterator[DevResources]:
    """Give an emulator of the test's own, to play an outage with."""
    dev = partial(bigquery_emulator, schemas=write_schemas(tmp_path / "schemas"))
    with DevResources({"bigquery": dev}, tmp_path) as resources:
        yield resources


async def select(bigquery: BigQuery, query: str) -> list[Any]:
    """Return the rows of a query."""

    def run() -> list[Any]:
        return list(bigquery.client().query_and_wait(query))

    return await asyncio.to_thread(run)


@BOTH
async def test_every_type_comes_back(
    emulator: Mapping[str, str], contract: Contract, *, storage: bool
) -> None:
    """What was written is what a query gives, to the last digit."""
    text = str(uuid.uuid4())
    place = Place(city="Oslo", codes=[1, 2])
    given = Everything(text=text, place=place, places=(place, place), tags=["a", "b"])
    async with open_bigquery(load(BigQueryConfig, emulator), contract) as bigquery:
        await bigquery.table_writer("everything", storage=storage).write(given)
        (row,) = await select(bigquery, f"SELECT * FROM everything WHERE text = '{text}'")  # noqa: S608 - a UUID

    oslo = {"city": "Oslo", "codes": [1, 2]}
    expected = {name: getattr(given, name) for name in KINDS} | {
        "at": given.at.astimezone(dt.UTC),
        "data": given.data.value,
        "place": oslo,
        "places": [oslo, oslo],
        "tags": ["a", "b"],
        "nothing": None,
    }
    assert dict(row.items()) == expected


@BOTH
async def test_a_bad_row_is_named_and_the_others_written(
    emulator: Mapping[str, str], contract: Contract, *, storage: bool
) -> None:
    """Both ways say which row and which column, and write the rest."""
    run = str(uuid.uuid4())
    async with open_bigquery(load(BigQueryConfig, emulator), contract) as bigquery:
        writer = bigquery.table_writer("numbers", storage=storage)
        with pytest.raises(RowsRefusedError, match=r"1 of 3 rows refused: row 2: .*'n'") as caught:
            await writer.write(*({"run": run, "n": n} for n in (1, "hunter2", 3)))
        rows = await select(bigquery, f"SELECT n FROM numbers WHERE run = '{run}' ORDER BY n")  # noqa: S608 - a UUID

    assert [row.n for row in rows] == [1, 3]
    assert "hunter2" not in str(caught.value)


async def test_a_known_insert_id_writes_nothing(
    emulator: Mapping[str, str], contract: Contract
) -> None:
    """A caller that is not sure may write the same row again."""
    run = str(uuid.uuid4())
    async with open_bigquery(load(BigQueryConfig, emulator), contract) as bigquery:
        writer = bigquery.table_writer("numbers")
        for _ in range(3):
            await writer.write(Row({"run": run, "n": 1}, insert_id=run))
        rows = await select(bigquery, f"SELECT n FROM numbers WHERE run = '{run}'")  # noqa: S608 - a UUID

    assert len(rows) == 1


@BOTH
async def test_a_missing_table_is_an_error(
    emulator: Mapping[str, str], contract: Contract, *, storage: bool
) -> None:
    """At once, not after retries."""
    async with open_bigquery(load(BigQueryConfig, emulator), contract) as bigquery:
        writer = bigquery.table_writer("missing", storage=storage)
        with pytest.raises(WriteError, match=r"'missing'.*it does not exist"):
            await writer.write({"n": 1})


@BOTH
async def test_a_buffer_outlives_restarts(
    stoppable: DevResources, contract: Contract, *, storage: bool
) -> None:
    """Rows written before, during and after an outage are all there, and none of them twice."""
    async with open_bigquery(load(BigQueryConfig, stoppable.environ), contract) as bigquery:
        writer = bigquery.table_writer("numbers", storage=storage, insert_ids=True)
        buffered = writer.buffered(max_rows=50, interval=0.01)

        async def produce() -> None:
            for n in range(3000):
                await buffered.write({"run": "r", "n": n})
                if n % 100 == 0:
                    await asyncio.sleep(0.01)

        producing = asyncio.create_task(produce())
        for _ in range(2):
            await asyncio.sleep(0.05)
            await asyncio.to_thread(stoppable.stop)
            await asyncio.to_thread(stoppable.start)
        await producing
        await buffered.flush()
        (row,) = await select(
            bigquery, "SELECT COUNT(*) AS rows_, COUNT(DISTINCT n) AS numbers_ FROM numbers"
        )

    assert (row.rows_, row.numbers_) == (3000, 3000)
    assert buffered.counts.written == 3000
