"""The harness runs: real services, real load, two turns; times are not looked at."""

from __future__ import annotations

import contextlib
import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import pytest

from benchmarks import records
from benchmarks.__main__ import main
from benchmarks.all_rows import ALL, ROWS
from benchmarks.ground import Ground, open_ground
from benchmarks.measures import latency, response_time, throughput
from benchmarks.result import Result
from benchmarks.row import Contender, Measure, Opening, Row, Sample
from benchmarks.rows.http import HELLO_QUIET
from benchmarks.turns import measure_row, take_turns
from tests.distributions import ROOT

BY_NAME = {row.name: row for row in ALL}


@pytest.fixture
def ground() -> Iterator[Ground]:
    """Give a ground for short measurements; processes of the tests stay where they are."""
    with open_ground(quick=True) as ground:
        yield ground


def make_row(*openings: Opening, turns: int = 2) -> Row:
    """Return a row that measures so, the first being ours."""
    subject, *references = (
        Contender(title=str(number), opening=opening) for number, opening in enumerate(openings)
    )
    return Row(
        name="row",
        title="a row",
        against="others",
        unit="ms",
        better="less",
        subject=subject,
        references=tuple(references),
        turns=turns,
    )


def test_contenders_take_turns(ground: Ground) -> None:
    """Each is first in turn, the first round does not count, and each is ended."""
    asked: list[int] = []
    ended: list[int] = []

    def opening_of(number: int) -> Opening:
        @contextlib.contextmanager
        def opening(_: Ground) -> Iterator[Measure]:
            def measure() -> Sample:
                asked.append(number)
                return Sample(value=len(asked))

            yield measure
            ended.append(number)

        return opening

    row = make_row(opening_of(0), opening_of(1), turns=2)
    series = take_turns(row, attrs.evolve(ground, quick=False), lambda _: None)

    assert asked == [1, 0, 0, 1, 1, 0]
    assert [one.value for one in series["0"]] == [3, 6]
    assert [one.value for one in series["1"]] == [4, 5]
    assert sorted(ended) == [0, 1]


@pytest.mark.parametrize("name", ["import", "log-call", "growth-checks"])
def test_row_is_measured(name: str, ground: Ground) -> None:
    """A row that needs no library of others is measured in two turns, processor time included."""
    result = measure_row(attrs.evolve(BY_NAME[name], turns=2), ground, lambda _: None)

    for samples in result.series.values():
        assert len(samples) == 2
        assert all(one.value > 0 and one.cpu is not None for one in samples)


def test_load_is_put_on_a_service(ground: Ground) -> None:
    """As fast as it answers, at a steady rate, and over many connections."""
    ways = (
        throughput(HELLO_QUIET),
        latency(HELLO_QUIET, 50.0),
        response_time(HELLO_QUIET, 200),
    )
    result = measure_row(make_row(*ways), ground, lambda _: None)

    assert isinstance(result, Result)
    assert all(one.value > 0 for samples in result.series.values() for one in samples)


def test_sink_takes_what_is_sent(ground: Ground) -> None:
    """Bodies with a length and in chunks are read to their end, on one connection."""
    url = ground.environ("opentelemetry")["OTEL_EXPORTER_OTLP_ENDPOINT"]
    with httpx.Client(base_url=url) as client:
        answers = [
            client.post("/v1/traces", content=b"x" * 100_000),
            client.post("/v1/traces", content=iter([b"one", b"two"])),
            client.post("/v1/metrics", content=gzip.compress(b"{}")),
        ]

    assert [answer.json() for answer in answers] == [{}] * 3


def test_results_are_kept_beside_those_of_other_rows(tmp_path: Path, ground: Ground) -> None:
    """A row that is measured again replaces its own record only."""
    file = tmp_path / "results.json"
    first = measure_row(attrs.evolve(BY_NAME["import"], turns=2), ground, lambda _: None)
    assert isinstance(first, Result)
    (row,) = (row for row in ROWS if row.name == "memory")
    other = Result(row=row, series={"by hand": [Sample(value=1.0)]})

    records.add_records([other, first], file)
    records.add_records([attrs.evolve(other, series={"by hand": [Sample(value=2.0)]})], file)

    kept = records.read_records(file)
    assert list(kept) == ["import", "memory"]
    assert kept["memory"].series == {"by hand": [Sample(value=2.0)]}
    assert kept["import"].series == first.series
    # The record of what has other contenders by now is no result.
    assert [result.row.name for result in records.results_of(kept)] == ["import"]


def test_unknown_row_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names those that there are."""
    with pytest.raises(SystemExit):
        main(["helo"])

    assert "no row 'helo', expected one of cold-start, " in capsys.readouterr().err


def test_quick_run_prints_and_writes_nothing() -> None:
    """As `make bench ARGS="import --quick"` does; the documents stay as they are."""
    before = records.FILE.stat().st_mtime_ns
    command = [sys.executable, "-m", "benchmarks", "import", "--quick"]
    done = subprocess.run(  # noqa: S603 - our own script
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "| `import` | `import msp_core` | `import asyncio` |" in done.stdout
    assert records.FILE.stat().st_mtime_ns == before
