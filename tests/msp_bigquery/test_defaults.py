"""The limits that the README promises are those of the writers."""

from __future__ import annotations

import inspect
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest

from msp_bigquery import BigQuery, RefusedRow, TableWriter
from msp_bigquery._delivery.insert_all import InsertAll
from msp_bigquery._rows.json_row import JSONRow
from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._rows.row import Form, Row, prepare
from msp_bigquery._storage.storage import Storage
from msp_bigquery._writers.table_writer import requests
from msp_bigquery._writers.tally import Tally
from msp_bigquery.errors import RowValueError
from tests.msp_bigquery.conftest import Opening
from tests.msp_bigquery.rest_server import RestServer

README = (Path(__file__).parents[2] / "plugins" / "bigquery" / "README.md").read_text("utf-8")


def default(function: object, name: str) -> object:
    """Return the default of an argument."""
    assert callable(function)
    return inspect.signature(function).parameters[name].default


def test_a_buffer_has_the_defaults_of_the_readme() -> None:
    """The README shows the call with all of them."""
    said = re.search(r"`buffered\((.*?)\)`", README)
    assert said is not None
    promised = dict(one.split("=") for one in said[1].split(", "))

    assert len(promised) == 6
    for name, number in promised.items():
        assert default(TableWriter.buffered, name) == float(number.replace("_", "")), name
    assert default(TableWriter.buffered, "on_full") == "wait"


def test_a_write_takes_30_seconds_at_most() -> None:
    """The README says it where it says what happens then."""
    assert "for `timeout` (30 s) in all" in README
    assert default(BigQuery.table_writer, "timeout") == 30.0


async def test_a_request_has_500_rows_at_most(opened: Opening) -> None:
    """Of streaming inserts; one more goes into a request of its own."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("t")
            await writer.write(*({"n": number} for number in range(500)))
            await writer.write(*({"n": number} for number in range(501)))

    assert [len(body["rows"]) for body in server.bodies] == [500, 500, 1]


@pytest.mark.parametrize(
    ("way", "form"),
    [(InsertAll(lambda: None, "p"), JSONRow.of), (Storage, PlainRow.of)],  # type: ignore[arg-type, return-value]
    ids=["insertAll", "storage"],
)
def test_a_request_has_5_mb_at_most(way: Any, form: Form) -> None:
    """Half of what BigQuery takes: larger ones gain nothing, and are lost at once."""
    light, heavy = (
        prepare([{"n": "x" * size}, {"n": "x" * size}], form, None)
        for size in (2_400_000, 2_600_000)
    )

    assert [len(part) for part in requests(light, way)] == [2]
    assert [len(part) for part in requests(heavy, way)] == [1, 1]
    assert way.max_bytes == 5_000_000


def test_an_append_has_10_000_rows_at_most() -> None:
    """Of the Storage Write API, as the README says."""
    assert "at most 10,000 rows" in README
    assert Storage.max_rows == 10_000


def test_an_insert_id_has_128_characters_at_most() -> None:
    """BigQuery's own limit, judged before anything is sent."""
    (row,) = prepare([Row({}, insert_id="x" * 128)], JSONRow.of, None)

    assert row.insert_id == "x" * 128
    with pytest.raises(RowValueError, match="longer than 128"):
        prepare([Row({}, insert_id="x" * 129)], JSONRow.of, None)


def test_lost_rows_are_told_every_30_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first at once; then those of half a minute in one line, with their number."""
    caplog.set_level(logging.ERROR, "msp.bigquery")
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    tally = Tally("t", None)
    refused = [RefusedRow(number=None, reasons=("no",), values={}, insert_id=None)]
    for clock[0] in (0.0, 1.0, 29.9, 30.0):
        tally.bury(refused)

    assert [re.findall(r"\d+", line) for line in caplog.messages] == [["1"], ["3"]]
    tally.flush()
    assert len(caplog.messages) == 2


async def test_requests_are_eight_at_once(opened: Opening) -> None:
    """So many threads belong to `write`; their connections fit into the client's 64."""
    async with opened("http://127.0.0.1:1") as bigquery:
        assert bigquery._workers.get()._max == 8
