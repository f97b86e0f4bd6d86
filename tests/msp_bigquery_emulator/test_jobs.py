"""Jobs: remembered with their outcome, listed, cancelled, deleted; load jobs; destinations."""

from __future__ import annotations

import io
import json
from typing import Any

import duckdb
import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from msp_bigquery_emulator._jobs import jobs as _jobs
from msp_bigquery_emulator.emulator import Emulator
from tests.msp_bigquery_emulator.conftest import PROJECT, Rows

FIELDS = [SchemaField("name", "STRING"), SchemaField("extra", "JSON")]


def test_life(client: bigquery.Client) -> None:
    """A job is done when its client hears of it, and can be asked for until it is deleted."""
    job = client.query("SELECT 1", job_id="mine", job_retry=None)
    found = client.get_job("mine")
    assert isinstance(found, bigquery.QueryJob)
    again = client.cancel_job("mine")
    listed = [one.job_id for one in client.list_jobs()]
    client.delete_job_metadata("mine")

    assert (job.state, found.state, again.state, listed) == ("DONE", "DONE", "DONE", ["mine"])
    assert found.statement_type == "SELECT"
    with pytest.raises(exceptions.NotFound, match="mine"):
        client.get_job("mine")


def test_existing(client: bigquery.Client) -> None:
    """A job is run once: its id cannot be used again, even after it failed."""
    client.query("SELECT nope", job_id="mine", job_retry=None)
    with pytest.raises(exceptions.Conflict):
        client.query("SELECT 1", job_id="mine", job_retry=None)


def test_failed_job(client: bigquery.Client) -> None:
    """A job that failed says why, in its state and to who waits for its rows."""
    job = client.query("SELECT nope", job_retry=None)

    assert job.error_result is not None
    assert job.error_result["reason"] == "invalidQuery"
    with pytest.raises(exceptions.BadRequest, match="nope"):
        job.result(job_retry=None)


def test_pages(client: bigquery.Client) -> None:
    """Results come in pages; every row once, in order."""
    job = client.query("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 25)) AS x")
    found = [row["x"] for row in job.result(page_size=10)]
    large = client.query_and_wait("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 10001)) AS x")

    assert found == list(range(1, 26))
    assert sum(1 for _ in large) == 10001


def test_old_jobs_are_forgotten(client: bigquery.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the number of jobs or rows; the newest result always stays."""
    monkeypatch.setattr(_jobs, "_MOST_ROWS", 10)
    for number in range(3):
        job = client.query(
            "SELECT * FROM UNNEST(GENERATE_ARRAY(1, 20))", job_id=f"rows-{number}", job_retry=None
        )
        assert len(list(job.result())) == 20
    by_rows = [one.job_id for one in client.list_jobs()]
    monkeypatch.setattr(_jobs, "_MOST_JOBS", 2)
    client.query("CREATE TABLE d.kept (n INT64)", job_id="table", job_retry=None)
    for number in range(3):
        client.query("SELECT 1", job_id=f"job-{number}", job_retry=None)

    assert by_rows == ["rows-2"]
    assert [one.job_id for one in client.list_jobs()] == ["job-2", "job-1"]
    assert client.get_table("d.kept").num_rows == 0  # a table outlives its job, a result does not


def test_job_that_breaks(
    client: bigquery.Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault of the emulator is no 500, leaves a trace, and the id can be used again."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr("msp_bigquery_emulator._sql.queries.parse", fail)
        with pytest.raises(exceptions.MethodNotImplemented, match="RuntimeError"):
            client.query("SELECT 1", job_id="mine", job_retry=None)

    assert "a fault" in capsys.readouterr().err
    assert client.query("SELECT 1", job_id="mine", job_retry=None).state == "DONE"


@pytest.mark.parametrize(
    ("place", "error", "reason"),
    [
        ("_Statement.run", duckdb.OutOfMemoryException("no room"), "resourcesExceeded"),
        ("parse", duckdb.InvalidInputException("not like this"), "invalidQuery"),
    ],
)
def test_error_of_the_engine(
    rest: httpx.Client, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception, reason: str
) -> None:
    """An error of DuckDB's is the job's, in a statement or before it, and never a 500."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(f"msp_bigquery_emulator._sql.queries.{place}", fail)
    answer = rest.post("/queries", json={"query": "SELECT 1", "useLegacySql": False})

    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["reason"] == reason


def test_no_job_begins_after_the_stop() -> None:
    """A request that comes while the emulator stops has no answer: its client tries again."""
    results: Any = None  # of no job
    jobs = _jobs.Jobs(PROJECT, results, 60.0)
    jobs.stop()

    with pytest.raises(ConnectionAbortedError):
        jobs.start({}, {}, lambda _: (None, {}))


@pytest.mark.parametrize(
    ("configuration", "status"),
    [
        ({}, 501),
        ({"extract": {}}, 501),
    ],
)
def test_other_jobs(rest: httpx.Client, configuration: dict[str, Any], status: int) -> None:
    """Jobs that the emulator cannot run are refused."""
    assert rest.post("/jobs", json={"configuration": configuration}).status_code == status


def test_destination(client: bigquery.Client, rows: Rows) -> None:
    """A query's rows go to a table: anew, added, or only when it is empty."""
    for disposition, value in (("WRITE_EMPTY", 1), ("WRITE_APPEND", 2)):
        config = bigquery.QueryJobConfig(
            destination="project-1.d.t", write_disposition=disposition, clustering_fields=["a"]
        )
        job = client.query(f"SELECT {value} AS a", job_config=config)
        # The results of a job are what its destination has.
        assert len(list(job.result())) == value
    both = rows("SELECT a FROM t ORDER BY a")
    for disposition, error in (("WRITE_EMPTY", "Already Exists"), ("CREATE_NEVER", "Not found")):
        config = bigquery.QueryJobConfig(destination="project-1.d.t")
        if disposition == "CREATE_NEVER":
            config = bigquery.QueryJobConfig(
                destination="project-1.d.nope", create_disposition=disposition
            )
        with pytest.raises(exceptions.GoogleAPICallError, match=error):
            client.query("SELECT 1 AS a", job_config=config, job_retry=None).result()
    config = bigquery.QueryJobConfig(
        destination="project-1.d.t", write_disposition="WRITE_TRUNCATE"
    )
    client.query("SELECT a + 10 AS b FROM d.t", job_config=config).result()

    assert both == [(1,), (2,)]
    assert rows("SELECT b FROM t ORDER BY b") == [(11,), (12,)]


def test_load(client: bigquery.Client, rows: Rows) -> None:
    """Rows in JSON are loaded into a table that is made for them, then into the one there is."""
    config = bigquery.LoadJobConfig(schema=FIELDS)
    made = client.load_table_from_json(
        [{"name": "a\r\nb", "extra": {"x": 1}}], "project-1.d.t", job_config=config
    ).result()
    client.load_table_from_json([{"name": "c", "extra": None}], "project-1.d.t").result()
    found = client.get_job(made.job_id)

    assert isinstance(found, bigquery.LoadJob)
    assert found.output_rows == 1
    assert rows("SELECT name, extra FROM t ORDER BY name") == [("a\r\nb", {"x": 1}), ("c", None)]


def test_load_in_pieces(client: bigquery.Client, rows: Rows) -> None:
    """A file whose size is not known comes in pieces."""
    content = b"".join(b'{"name": "%d"}\n' % number for number in range(30000))
    config = bigquery.LoadJobConfig(schema=FIELDS, source_format="NEWLINE_DELIMITED_JSON")
    config.write_disposition = "WRITE_TRUNCATE"
    for part in (content[:14], content + b"\n"):
        client.load_table_from_file(io.BytesIO(part), "project-1.d.t", job_config=config).result()

    assert rows("SELECT count(*), max(name) FROM t") == [(30000, "9999")]


def test_load_of_bad_rows(client: bigquery.Client, rows: Rows) -> None:
    """A load job takes all rows or none, unless it says how many may be bad."""
    content = b'{"name": "a"}\n{"zip": 1}\nnot json\n[1]\n'
    config = bigquery.LoadJobConfig(schema=FIELDS, source_format="NEWLINE_DELIMITED_JSON")
    with pytest.raises(exceptions.BadRequest, match=r"Errors: 3; the first: line 2, field zip"):
        client.load_table_from_file(
            io.BytesIO(content), "project-1.d.t", size=len(content), job_config=config
        ).result()
    config.max_bad_records, config.ignore_unknown_values = 2, True
    client.load_table_from_file(
        io.BytesIO(content), "project-1.d.t", size=len(content), job_config=config
    ).result()

    assert rows("SELECT name FROM t ORDER BY name") == [(None,), ("a",)]


def test_load_that_cannot_be(client: bigquery.Client) -> None:
    """Other formats, and a table without a schema, are refused."""
    orc = bigquery.LoadJobConfig(schema=FIELDS, source_format="ORC")
    for config in (orc, bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON")):
        job = client.load_table_from_file(
            io.BytesIO(b"{}"), "project-1.d.t", size=2, job_config=config
        )
        with pytest.raises(exceptions.GoogleAPICallError, match=r"ORC is not supported|No schema"):
            job.result()


def test_results_of_a_load(client: bigquery.Client, rest: httpx.Client) -> None:
    """A load job has no rows to give."""
    config = bigquery.LoadJobConfig(schema=FIELDS)
    job = client.load_table_from_json([{"name": "a"}], "project-1.d.t", job_config=config)

    assert rest.get(f"/queries/{job.job_id}").status_code == 400


@pytest.fixture
def upload(emulator: Emulator) -> str:
    """Return the path of uploads."""
    return f"{emulator.http}/upload/bigquery/v2/projects/{PROJECT}/jobs"


JSON = "NEWLINE_DELIMITED_JSON"
PARTS = {"content-type": "multipart/related; boundary=b"}


def parts(configuration: dict[str, Any]) -> str:
    """Return the body of a job whose content is empty."""
    job = json.dumps({"configuration": configuration})
    return f"--b\r\n\r\n{job}\r\n--b\r\n\r\n\r\n--b--"


LOAD = {
    "configuration": {
        "load": {
            "sourceFormat": JSON,
            "schema": {"fields": [{"name": "name", "type": "STRING"}]},
            "destinationTable": {"datasetId": "d", "tableId": "t"},
        }
    }
}


def test_interrupted_upload(rest: httpx.Client, upload: str, rows: Rows) -> None:
    """Who lost the connection asks how far it came and goes on; a piece counts once."""
    begun = rest.post(f"{upload}?uploadType=resumable", json=LOAD)
    place = begun.headers["location"]
    content = b'{"name": "a"}'
    nothing = rest.put(place, headers={"content-range": "bytes */*"})
    first = rest.put(place, content=content[:5], headers={"content-range": "bytes 0-4/*"})
    again = rest.put(place, content=content[:5], headers={"content-range": "bytes 0-4/*"})
    last = rest.put(place, content=content[5:], headers={"content-range": "bytes 5-12/13"})
    after = rest.put(place, headers={"content-range": "bytes */13"})

    assert (nothing.status_code, "range" in nothing.headers) == (308, False)
    assert (first.status_code, again.headers["range"]) == (308, "bytes=0-4")
    assert (last.status_code, after.json()["id"]) == (200, last.json()["id"])
    assert rows("SELECT * FROM t") == [("a",)]


@pytest.mark.parametrize(
    ("query", "headers", "body", "status"),
    [
        ("", {}, json.dumps(LOAD), 400),
        ("uploadType=multipart", {}, "x", 400),
        ("uploadType=multipart", PARTS, "--b--", 400),
        ("uploadType=multipart", PARTS, parts({"query": {"query": "SELECT 1"}}), 400),
        ("uploadType=multipart", PARTS, parts({"load": {"sourceFormat": JSON}}), 200),
    ],
)
def test_uploads_that_cannot_be(
    rest: httpx.Client, upload: str, query: str, headers: dict[str, str], body: str, status: int
) -> None:
    """An upload needs a kind, a load job and its rows; a job without a table fails as a job."""
    answer = rest.post(f"{upload}?{query}", headers=headers, content=body)

    assert answer.status_code == status
    assert "error" in answer.json() or "errorResult" in answer.json()["status"]


def test_pieces_of_nothing(rest: httpx.Client, upload: str) -> None:
    """A piece needs an upload that was begun, and a range."""
    unknown = rest.put(f"{upload}?upload_id=x", headers={"content-range": "bytes */1"})
    without = rest.put(f"{upload}?upload_id=x")

    assert (unknown.status_code, without.status_code) == (404, 400)
