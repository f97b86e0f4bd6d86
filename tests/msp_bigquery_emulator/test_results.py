"""Results: every query has a destination table, from which its rows are read page by page."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from msp_bigquery_emulator._jobs import jobs as _jobs
from msp_bigquery_emulator._jobs import repeats as _repeats
from tests.msp_bigquery_emulator.conftest import Rows

NUMBERS = "SELECT x, CONCAT('n', x) AS name FROM UNNEST(GENERATE_ARRAY(1, 25)) AS x ORDER BY x DESC"


# https://cloud.google.com/bigquery/docs/writing-results#temporary_and_permanent_tables
def test_destination_of_every_query(client: bigquery.Client, rows: Rows) -> None:
    """A query's rows are a table: described, listed in its order, and queried again."""
    job = client.query(NUMBERS)
    job.result()
    assert job.destination is not None
    table = client.get_table(job.destination)
    listed = [row["x"] for row in client.list_rows(table, page_size=10)]
    name = table.full_table_id.replace(":", ".")
    again = rows(f"SELECT MAX(name) FROM `{name}`")  # noqa: S608 - the emulator's own name

    assert table.dataset_id.startswith("_")
    assert (table.num_rows, [field.field_type for field in table.schema]) == (
        25,
        ["INTEGER", "STRING"],
    )
    assert listed == list(range(25, 0, -1))
    assert again == [("n9",)]
    assert table.expires is not None
    assert table.created is not None
    assert (table.expires - table.created).total_seconds() == pytest.approx(24 * 3600, abs=1)


def test_hidden_dataset(client: bigquery.Client) -> None:
    """The dataset of results is not among those of the user, and cannot become one."""
    client.query_and_wait(NUMBERS)
    names = [one.dataset_id for one in client.list_datasets()]
    with pytest.raises(exceptions.BadRequest):
        client.create_dataset("_anonymous")

    assert names == ["d"]


def test_table_of_results_is_gone(client: bigquery.Client, rest: httpx.Client) -> None:
    """A table of results can be deleted; its job's rows are gone then, other queries go on."""
    job = client.query(NUMBERS)
    job.result()
    assert job.destination is not None
    client.delete_table(job.destination)
    with pytest.raises(exceptions.NotFound):
        client.get_table(job.destination)
    results = rest.get(f"/queries/{job.job_id}")

    assert results.status_code == 404
    assert len(list(client.query_and_wait(NUMBERS))) == 25


def test_forgotten_with_its_job(client: bigquery.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table lives as long as its job; the newest stays whatever its size."""
    monkeypatch.setattr(_jobs, "_MOST_ROWS", 30)
    old, new = client.query(NUMBERS), client.query(NUMBERS)
    rows = len(list(new.result()))
    assert old.destination is not None
    with pytest.raises(exceptions.NotFound):
        client.get_table(old.destination)

    assert rows == 25


def test_deleted_job(client: bigquery.Client) -> None:
    """Who deletes the job deletes the rows."""
    job = client.query(NUMBERS)
    job.result()
    client.delete_job_metadata(job.job_id)
    assert job.destination is not None
    with pytest.raises(exceptions.NotFound):
        client.get_table(job.destination)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT 1 AS a, 2 AS a_1", ["a", "a_1"]),
        ("SELECT 1 AS a_1, 2 AS a_2", ["a_1", "a_2"]),
        ("SELECT NULL AS x, [] AS y", ["x", "y"]),
    ],
)
def test_columns(client: bigquery.Client, query: str, columns: list[str]) -> None:
    """Names that look as if DuckDB had made them are left alone."""
    assert [field.name for field in client.query_and_wait(query).schema] == columns


@pytest.mark.parametrize("query", ["SELECT 1 AS a, 2 AS a", "SELECT 1 AS a, 2 AS A, 3 AS b"])
def test_equal_columns(client: bigquery.Client, query: str) -> None:
    """Two columns of one name are refused, and leave no table."""
    for _ in range(2):
        with pytest.raises(exceptions.BadRequest, match="Duplicate column names"):
            client.query_and_wait(query)


def test_unsupported_column(client: bigquery.Client) -> None:
    """A result of a type that BigQuery does not have is refused."""
    with pytest.raises(exceptions.MethodNotImplemented):
        client.query("SELECT INTERVAL 1 DAY AS i", job_retry=None).result(job_retry=None)


def test_results_of_definitions(client: bigquery.Client) -> None:
    """A statement that makes a table gives no rows, and the table's columns.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#jobstatistics2
    """
    made = client.query("CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b")
    found = made.result()

    assert ([field.name for field in found.schema], list(found)) == (["a", "b"], [])
    assert (made.statement_type, made.destination) == (
        "CREATE_TABLE_AS_SELECT",
        bigquery.TableReference.from_string("project-1.d.t"),
    )
    assert client.query("INSERT INTO d.t VALUES (2, 'y')").destination is not None


def test_request_id(rest: httpx.Client, client: bigquery.Client, people: bigquery.Table) -> None:
    """The same request, sent again, is run once; another one with its id is another.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query#QueryRequest.FIELDS.request_id
    """
    request = {"query": "INSERT INTO d.people (name) VALUES ('a')", "useLegacySql": False}
    request["requestId"] = str(uuid.uuid4())
    first = rest.post("/queries", json=request).json()
    again = rest.post("/queries", json=request | {"timeoutMs": 5000}).json()
    other = rest.post("/queries", json=request | {"query": f"{request['query']} "}).json()
    dry = rest.post("/queries", json=request | {"dryRun": True}).json()
    without = [rest.post("/queries", json={**request, "requestId": ""}).json() for _ in range(2)]

    assert first["jobReference"] == again["jobReference"]
    assert again["numDmlAffectedRows"] == "1"
    ids = {one["jobReference"]["jobId"] for one in (first, other, dry, *without)}
    assert len(ids) == 5
    assert client.get_table(people).num_rows == 4


@pytest.mark.usefixtures("people")
def test_old_request_id(rest: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request id is remembered for a quarter of an hour."""
    request = {"query": "INSERT INTO d.people (name) VALUES ('a')", "useLegacySql": False}
    request["requestId"] = str(uuid.uuid4())
    names = []
    for seconds in (_repeats._REMEMBERED, _repeats._REMEMBERED, -1.0):
        monkeypatch.setattr(_repeats, "_REMEMBERED", seconds)
        names.append(rest.post("/queries", json=request).json()["jobReference"]["jobId"])

    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize(
    ("formats", "cell"),
    [
        ({}, "1.7672256E9"),
        ({"useInt64Timestamp": True}, "1767225600123456"),
        ({"timestampOutputFormat": "INT64"}, "1767225600123456"),
        ({"timestampOutputFormat": "FLOAT64"}, "1767225600.123456"),
        ({"timestampOutputFormat": "ISO8601_STRING"}, "2026-01-01T00:00:00.123456Z"),
    ],
)
def test_timestamps(rest: httpx.Client, formats: dict[str, Any], cell: str) -> None:
    """A timestamp is written as the request asks, in results and in the rows of a table.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/DataFormatOptions
    """
    sql = "SELECT TIMESTAMP '2026-01-01 00:00:00.123456' AS at"
    request = {"query": sql, "useLegacySql": False, "formatOptions": formats}
    answer = rest.post("/queries", json=request).json()
    query = {f"formatOptions.{name}": str(value) for name, value in formats.items()}
    name = answer["jobReference"]["jobId"]
    later = rest.get(f"/queries/{name}", params=query).json()
    table = rest.get(f"/jobs/{name}").json()["configuration"]["query"]["destinationTable"]
    path = f"/datasets/{table['datasetId']}/tables/{table['tableId']}/data"
    listed = rest.get(path, params=query).json()

    cells = [one["rows"][0]["f"][0]["v"] for one in (answer, later, listed)]
    if formats:
        assert cells == [cell] * 3
    else:
        moment = datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC).timestamp()
        assert [float(one) for one in cells] == [pytest.approx(moment)] * 3


@pytest.mark.parametrize(
    "formats",
    [
        {"timestampOutputFormat": "ROMAN"},
        {"timestampOutputFormat": "FLOAT64", "useInt64Timestamp": True},
    ],
)
def test_timestamps_that_cannot_be(rest: httpx.Client, formats: dict[str, Any]) -> None:
    """A format that is none, or two at once, is refused."""
    request = {"query": "SELECT 1", "useLegacySql": False, "formatOptions": formats}

    assert rest.post("/queries", json=request).status_code == 400
