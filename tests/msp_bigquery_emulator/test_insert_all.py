"""tabledata: rows streamed in, and listed."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from msp_bigquery_emulator._store import insert_ids as _insert_ids
from msp_bigquery_emulator.emulator import Emulator, Options
from tests.msp_bigquery_emulator.conftest import Rows, connect

EVERYTHING = [
    SchemaField("string", "STRING"),
    SchemaField("bytes", "BYTES"),
    SchemaField("integer", "INT64"),
    SchemaField("float", "FLOAT64"),
    SchemaField("numeric", "NUMERIC"),
    SchemaField("bignumeric", "BIGNUMERIC"),
    SchemaField("boolean", "BOOL"),
    SchemaField("timestamp", "TIMESTAMP"),
    SchemaField("date", "DATE"),
    SchemaField("time", "TIME"),
    SchemaField("datetime", "DATETIME"),
    SchemaField("json", "JSON"),
    SchemaField("list", "TIMESTAMP", "REPEATED"),
    SchemaField(
        "record",
        "RECORD",
        fields=[SchemaField("a", "BYTES"), SchemaField("b", "NUMERIC", "REPEATED")],
    ),
    SchemaField("records", "RECORD", "REPEATED", fields=[SchemaField("day", "DATE")]),
]
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
VALUES: dict[str, Any] = {
    "string": "é \x00 '\"",
    "bytes": b"\x00\xff",
    "integer": -(2**63),
    "float": 0.1,
    "numeric": Decimal("99999999999999999999999999999.999999999"),
    "bignumeric": Decimal("-0.000000000000000001"),
    "boolean": True,
    "timestamp": NOW,
    "date": dt.date(1, 1, 1),
    "time": dt.time(23, 59, 59, 999999),
    "datetime": dt.datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001 - a DATETIME has no zone
    "json": {"a": [1, None]},
    "list": [NOW, NOW],
    "record": {"a": b"x", "b": [Decimal("1.5")]},
    "records": [{"day": dt.date(2026, 1, 1)}, {"day": None}],
}


def test_every_type_there_and_back(client: bigquery.Client) -> None:
    """A value of every type comes back as it was, listed and queried; so does a row of nulls."""
    table = client.create_table(bigquery.Table("project-1.d.t", schema=EVERYTHING))
    errors = client.insert_rows(table, [VALUES, {}])
    listed = [dict(row) for row in client.list_rows(table)]
    queried = [dict(row) for row in client.query_and_wait("SELECT * FROM d.t")]
    empty = dict.fromkeys(VALUES) | {"list": [], "records": []}

    assert errors == []
    assert listed == [VALUES, empty]
    assert queried == listed


def test_refused_rows(client: bigquery.Client, people: bigquery.Table) -> None:
    """One bad row stops all, each named with its reason and never a server's failure."""
    errors = client.insert_rows_json(
        people, [{"name": "a", "age": "x"}, {"name": "b"}, {"age": 1}, {"name": "c", "zip": 1}]
    )
    reasons = {error["index"]: error["errors"][0] for error in errors}

    assert [reasons[index]["reason"] for index in range(4)] == [
        "invalid",
        "stopped",
        "invalid",
        "invalid",
    ]
    assert [reasons[index]["location"] for index in (0, 2, 3)] == ["age", "name", "zip"]
    assert list(client.list_rows(people)) == []


def test_lenient_requests(client: bigquery.Client, people: bigquery.Table) -> None:
    """Bad rows are skipped, and unknown members dropped, when the request says so."""
    errors = client.insert_rows_json(
        people,
        [{"name": "a", "zip": 1}, {"age": 1}],
        skip_invalid_rows=True,
        ignore_unknown_values=True,
    )

    assert [error["index"] for error in errors] == [1]
    assert [tuple(row) for row in client.list_rows(people)] == [("a", None)]


def test_insert_ids(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """Rows with a known insert id are not stored again; rows without one always are."""
    row = {"name": "a"}
    for ids in (["1", "2"], ["2", "1"], ["3", "3"], [None, None]):
        assert client.insert_rows_json(people, [row, row], row_ids=ids) == []

    assert rows("SELECT count(*) FROM people") == [(5,)]


def test_insert_ids_outlive_the_process(options: Options) -> None:
    """A client that tries again after a restart adds nothing twice."""
    found = []
    for _ in range(2):
        with Emulator(options) as emulator, connect(emulator.http) as client:
            fields = [SchemaField("name", "STRING")]
            table = client.create_table(bigquery.Table("project-1.d.t", fields), exists_ok=True)
            client.insert_rows_json(table, [{"name": "a"}], row_ids=["1"])
            found.append(len(list(client.list_rows(table))))

    assert found == [1, 1]


def test_insert_ids_are_of_one_table(client: bigquery.Client, people: bigquery.Table) -> None:
    """A table that is made anew does not know the ids of the old one."""
    client.insert_rows_json(people, [{"name": "a"}], row_ids=["1"])
    client.delete_table(people)
    client.create_table(people)
    client.insert_rows_json(people, [{"name": "a"}], row_ids=["1"])

    assert len(list(client.list_rows(people))) == 1


def test_insert_ids_are_forgotten(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old ids leave, in two steps, so that an emulator may run for days."""
    monkeypatch.setattr(_insert_ids, "_WINDOW", 0.0)
    with Emulator(options) as emulator, connect(emulator.http) as client:
        fields = [SchemaField("name", "STRING")]
        table = client.create_table(bigquery.Table("project-1.d.t", fields))
        for ids in (["1"], ["2"], ["3"], ["1"]):
            client.insert_rows_json(table, [{"name": ids[0]}], row_ids=ids)

        assert len(list(client.list_rows(table))) == 4


def test_insert_ids_of_rows_that_failed(
    client: bigquery.Client, people: bigquery.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of rows that could not be stored are free again."""

    def fail(*_: object) -> None:
        raise RuntimeError("not stored")

    with monkeypatch.context() as patched:
        patched.setattr("msp_bigquery_emulator._store.rows.insert", fail)
        with pytest.raises(exceptions.MethodNotImplemented, match="RuntimeError"):
            client.insert_rows_json(people, [{"name": "a"}], row_ids=["1"])
    client.insert_rows_json(people, [{"name": "a"}], row_ids=["1"])

    assert len(list(client.list_rows(people))) == 1


@pytest.mark.parametrize("body", [{}, {"rows": []}, {"rows": 1}])
def test_no_rows(rest: httpx.Client, people: bigquery.Table, body: dict[str, Any]) -> None:
    """A request without rows is a mistake."""
    answer = rest.post(f"/datasets/d/tables/{people.table_id}/insertAll", json=body)

    assert answer.json()["error"]["errors"][0]["reason"] == "invalid"


def test_row_without_values(rest: httpx.Client, people: bigquery.Table) -> None:
    """A row that is no object is refused like any other."""
    body = {"rows": [{"json": None}]}
    answer = rest.post(f"/datasets/d/tables/{people.table_id}/insertAll", json=body)

    assert answer.json()["insertErrors"][0]["errors"][0]["reason"] == "invalid"


def test_pages(client: bigquery.Client, people: bigquery.Table, rest: httpx.Client) -> None:
    """Rows come in the order they were stored, in pages, from any row on, columns selected."""
    client.insert_rows_json(people, [{"name": f"{n}", "age": n} for n in range(10)])
    selected = people.schema[1:]
    pages = [len(list(page)) for page in client.list_rows(people, page_size=4).pages]
    some = client.list_rows(people, start_index=7, max_results=2, selected_fields=selected)
    path = f"/datasets/d/tables/{people.table_id}/data"

    assert pages == [4, 4, 2]
    assert [tuple(row) for row in some] == [(7,), (8,)]
    assert rest.get(f"{path}?maxResults=0").json()["totalRows"] == "10"
    assert rest.get(f"{path}?selectedFields=nope").status_code == 400


def test_timestamps_as_seconds(client: bigquery.Client, rest: httpx.Client) -> None:
    """A client that does not ask for whole numbers gets seconds, and floats that are none."""
    fields = [SchemaField("at", "TIMESTAMP"), SchemaField("x", "FLOAT64", "REPEATED")]
    client.create_table(bigquery.Table("project-1.d.t", fields))
    row = {"at": "1970-01-01T00:00:01.5Z", "x": ["NaN", "-Infinity", "inf", 1]}
    client.insert_rows_json("d.t", [row])
    (found,) = rest.get("/datasets/d/tables/t/data").json()["rows"]

    assert found["f"][0]["v"] == "1.5"
    assert [one["v"] for one in found["f"][1]["v"]] == ["NaN", "-Infinity", "Infinity", "1.0"]


def test_writers_side_by_side(emulator: Emulator, people: bigquery.Table) -> None:
    """Rows that many clients send at once are all there, once."""

    def write(number: int) -> None:
        with connect(emulator.http) as client:
            for batch in range(5):
                rows = [{"name": f"{number}-{batch}-{row}"} for row in range(20)]
                assert client.insert_rows_json(people, rows) == []

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connect(emulator.http) as client:
        names = [row["name"] for row in client.list_rows(people)]

    assert (len(names), len(set(names))) == (400, 400)


def test_bytes_are_canonical(client: bigquery.Client, rows: Rows) -> None:
    """Bytes are compared as bytes, whatever base64 they came as."""
    client.create_table(bigquery.Table("project-1.d.t", [SchemaField("b", "BYTES")]))
    client.insert_rows_json("d.t", [{"b": base64.b64encode(b"abc").decode()}])

    assert rows("SELECT count(*) FROM t WHERE b = b'abc'") == [(1,)]
