"""results.json: what was measured last, row by row, from which tables and plots are made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
import cattrs

from benchmarks.all_rows import ALL, GROWTHS, ROWS
from benchmarks.growth import Curve, Growth
from benchmarks.report import about_machine
from benchmarks.result import Result
from benchmarks.row import Row, Sample

FILE = Path(__file__).parent / "results.json"


@attrs.frozen(kw_only=True)
class Record:
    """What one row showed.

    Attributes:
        date: of the measurement.
        machine: where.
        series: samples by title of the contender.
    """

    date: str
    machine: str
    series: Mapping[str, list[Sample]]


def read_records(file: Path = FILE) -> dict[str, Record]:
    """Return all records by name of the row; none where nothing was measured."""
    if not file.exists():
        return {}
    return cattrs.structure(json.loads(file.read_text()), dict[str, Record])


def add_records(results: Iterable[Result | Curve], file: Path = FILE) -> None:
    """Write what was measured beside what others rows showed before."""
    records = read_records(file)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    for result in results:
        series = {title: list(samples) for title, samples in result.series.items()}
        records[result.row.name] = Record(date=today, machine=about_machine(), series=series)
    order = [row.name for row in ALL]
    kept = {name: cattrs.unstructure(records[name]) for name in order if name in records}
    file.write_text(json.dumps(kept, indent=1) + "\n")


def results_of(records: Mapping[str, Record]) -> list[Result]:
    """Return results of rows that were measured as they are now, in the order of the table."""
    measured = [(row, records[row.name].series) for row in ROWS if is_of(row, records)]
    return [Result(row=row, series=series) for row, series in measured]


def curves_of(records: Mapping[str, Record]) -> list[Curve]:
    """Return the same of curves."""
    measured = [(row, records[row.name].series) for row in GROWTHS if is_of(row, records)]
    return [Curve(row=row, series=series) for row, series in measured]


def is_of(row: Row | Growth, records: Mapping[str, Record]) -> bool:
    """Return whether there is a record of the row, and of the contenders that it has now."""
    titles = [contender.title for contender in row.contenders]
    return row.name in records and sorted(records[row.name].series) == sorted(titles)
