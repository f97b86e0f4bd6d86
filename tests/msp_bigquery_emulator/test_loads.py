"""Load jobs of files in every format, with and without a schema; copies of tables."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import duckdb
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from msp_bigquery_emulator.emulator import Options
from tests.msp_bigquery_emulator.conftest import Rows

Load: TypeAlias = Callable[..., bigquery.LoadJob]
TEXT = [SchemaField("n", "INT64"), SchemaField("s", "STRING")]


@pytest.fixture
def options(options: Options, tmp_path: Path) -> Options:
    """Return options with two objects in a bucket, and a file outside of it."""
    folder = tmp_path / "buckets" / "bucket" / "in"
    folder.mkdir(parents=True)
    (folder / "1.csv").write_text("n,s\n1,a\n")
    (folder / "2.csv").write_text("n,s\n2,b\n")
    (tmp_path / "secret.csv").write_text("0,secret\n")
    return attrs.evolve(options, buckets=tmp_path / "buckets")


@pytest.fixture
def load(client: bigquery.Client) -> Load:
    """Give the function that loads bytes into `d.t`."""

    def run(content: bytes, kind: str = "CSV", **given: Any) -> bigquery.LoadJob:
        config = bigquery.LoadJobConfig(source_format=kind, **given)
        job: bigquery.LoadJob = client.load_table_from_file(
            io.BytesIO(content), "project-1.d.t", size=len(content), job_config=config
        )
        job.result()
        return job

    return run


def columns_of(client: bigquery.Client) -> list[tuple[str, str]]:
    """Return the columns of `d.t`, with their types."""
    return [(field.name, field.field_type) for field in client.get_table("d.t").schema]


# https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#csv-options
@pytest.mark.parametrize(
    ("content", "given", "found"),
    [
        (b"1,a\n2,b\n", {}, [(1, "a"), (2, "b")]),
        (b"1,a\r\n2,b", {}, [(1, "a"), (2, "b")]),
        (b"n,s\n1,a", {"skip_leading_rows": 1}, [(1, "a")]),
        (b'1,"a,b"\n2,"say ""x"""', {}, [(1, "a,b"), (2, 'say "x"')]),
        (b'1,"a\nb"', {"allow_quoted_newlines": True}, [(1, "a\nb")]),
        (b'1,\n2,""', {}, [(1, None), (2, "")]),
        (b"1,NA\n", {"null_marker": "NA"}, [(1, None)]),
        (b"1\ta\n", {"field_delimiter": "\t"}, [(1, "a")]),
        (b"1\ta\n", {"field_delimiter": "tab"}, [(1, "a")]),
        (b"1|'a|b'\n", {"field_delimiter": "|", "quote_character": "'"}, [(1, "a|b")]),
        (b'1,a"b\n', {"quote_character": ""}, [(1, 'a"b')]),
        (b"1\n2,b\n", {"allow_jagged_rows": True}, [(1, None), (2, "b")]),
        (b"1,a,x\n", {"ignore_unknown_values": True}, [(1, "a")]),
        (b"1,a\nx,b\n3,c", {"max_bad_records": 1}, [(1, "a"), (3, "c")]),
        ("1,é".encode("latin-1"), {"encoding": "ISO-8859-1"}, [(1, "é")]),
        (b"\xef\xbb\xbf1,a\n\n2,b\n", {}, [(1, "a"), (2, "b")]),
        (gzip.compress(b"1,a\n", mtime=0), {}, [(1, "a")]),
        (b"", {}, []),
    ],
)
def test_csv(
    load: Load, rows: Rows, content: bytes, given: dict[str, Any], found: list[Any]
) -> None:
    """CSV is read as its options say."""
    job = load(content, schema=TEXT, **given)

    assert rows("SELECT n, s FROM t ORDER BY n") == found
    assert job.output_rows == len(found)


@pytest.mark.parametrize(
    ("content", "given", "message"),
    [
        (b"1,a,x", {}, "too many values: expected 2, found 3"),
        (b"1", {}, "too few values: expected 2, found 1"),
        (b"x,a", {}, "line 1, field n"),
        (b'1,a\n2,"b\nc"\nx,d', {}, "line 4, field n"),
        (b'1,"a', {}, "close quote"),
        (b'1,"a"b', {}, "close quote"),
        (b"1,\xff", {}, "bad encoding"),
        (b"1,a", {"field_delimiter": "--"}, "Invalid CSV options"),
        (b"\x1f\x8bx", {}, "bad gzip"),
    ],
)
def test_csv_that_cannot_be(
    load: Load, client: bigquery.Client, content: bytes, given: dict[str, Any], message: str
) -> None:
    """A file that is wrong is refused, and no table made."""
    with pytest.raises(exceptions.BadRequest, match=message):
        load(content, schema=TEXT, **given)
    with pytest.raises(exceptions.NotFound):
        client.get_table("d.t")


# https://cloud.google.com/bigquery/docs/schema-detect
@pytest.mark.parametrize(
    ("content", "given", "columns"),
    [
        (b"a,b\n1,x\n", {}, "a INTEGER, b STRING"),
        (b"a b,1\n1,x\n", {"skip_leading_rows": 1}, "a_b INTEGER, _1 STRING"),
        (b"x,y\n", {}, "string_field_0 STRING, string_field_1 STRING"),
        (b"1,2.5\n2,3\n", {}, "int64_field_0 INTEGER, double_field_1 FLOAT"),
        (
            b"a,b\n1,x,2\n",
            {"ignore_unknown_values": True},
            "a INTEGER, b STRING, int64_field_2 INTEGER",
        ),
        (
            b"a,b,c,d,e\ntrue,2026-01-02,2026-01-02 03:04:05,2026-01-02 03:04:05Z,03:04:05\n",
            {},
            "a BOOLEAN, b DATE, c DATETIME, d TIMESTAMP, e TIME",
        ),
        (b"a,b\n1,\n2.5,\n", {}, "a FLOAT, b STRING"),
        (b"a,b\n2026-01-01,1\n2026-01-01 00:00:00,x\n", {}, "a DATETIME, b STRING"),
    ],
)
def test_detected_columns(
    load: Load, client: bigquery.Client, content: bytes, given: dict[str, Any], columns: str
) -> None:
    """The schema is guessed from the rows, the names from a first row that is text alone."""
    load(content, autodetect=True, allow_jagged_rows=True, **given)

    assert ", ".join(" ".join(column) for column in columns_of(client)) == columns


def test_detected_json(load: Load, client: bigquery.Client, rows: Rows) -> None:
    """Objects give records, arrays repeated columns, numbers the wider type."""
    content = (
        b'{"a": 1, "b": {"c": [true]}, "d": "2026-01-01", "e": null, "g": {}}\n'
        b'{"a": 1.5, "d": "x", "f": []}'
    )
    load(content, "NEWLINE_DELIMITED_JSON", autodetect=True, ignore_unknown_values=True)
    modes = {field.name: field.mode for field in client.get_table("d.t").schema}

    assert columns_of(client) == [
        ("a", "FLOAT"),
        ("b", "RECORD"),
        ("d", "STRING"),
        ("e", "STRING"),
        ("f", "STRING"),
    ]
    assert [name for name, mode in modes.items() if mode == "REPEATED"] == ["f"]
    assert rows("SELECT a, b.c, d FROM t ORDER BY a") == [
        (1.0, [True], "2026-01-01"),
        (1.5, [], "x"),
    ]


@pytest.mark.parametrize("kind", ["CSV", "NEWLINE_DELIMITED_JSON"])
@pytest.mark.parametrize("content", [b"", b"[1]\n"])
def test_nothing_to_detect_from(load: Load, kind: str, content: bytes) -> None:
    """No rows, no schema; a row that is no object has no columns."""
    if kind == "CSV" and content:
        load(content, kind, autodetect=True)
        return
    with pytest.raises(exceptions.BadRequest, match="Schema has no fields"):
        load(content, kind, autodetect=True)


# https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions
def test_parquet(load: Load, client: bigquery.Client, rows: Rows, tmp_path: Path) -> None:
    """Parquet brings its own schema, and every type its values."""
    with duckdb.connect() as made:
        made.execute("SET TimeZone = 'UTC'")
        made.execute(
            "COPY (SELECT 1 AS i, 'x' AS s, 1.5::DECIMAL(10, 2) AS n, '\\xFF'::BLOB AS b, "
            "DATE '2026-01-02' AS d, TIMESTAMPTZ '2026-01-02 03:04:05.000006+00' AS t, "
            f"[1, 2] AS l, {{'q': true}} AS r) TO '{tmp_path / 'made.parquet'}'"
        )
    load((tmp_path / "made.parquet").read_bytes(), "PARQUET")

    kinds = "INTEGER STRING NUMERIC BYTES DATE TIMESTAMP INTEGER RECORD"
    assert " ".join(kind for _, kind in columns_of(client)) == kinds
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert rows("SELECT * FROM t") == [
        (1, "x", Decimal("1.5"), b"\xff", date(2026, 1, 2), moment, [1, 2], {"q": True})
    ]


def test_no_parquet(load: Load) -> None:
    """A file that is no Parquet is refused."""
    with pytest.raises(exceptions.BadRequest, match="no Parquet"):
        load(b"x", "PARQUET")


def test_dispositions(load: Load, client: bigquery.Client, rows: Rows) -> None:
    """A load adds to a table, writes it anew, with another schema when detected, or refuses."""
    load(b"1,a", schema=TEXT)
    load(b"2,b")
    both = rows("SELECT n FROM t ORDER BY n")
    with pytest.raises(exceptions.GoogleAPICallError, match="Already Exists"):
        load(b"3,c", write_disposition="WRITE_EMPTY")
    load(b"x\n3.5\n", autodetect=True, write_disposition="WRITE_TRUNCATE")

    assert both == [(1,), (2,)]
    assert (columns_of(client), rows("SELECT * FROM t")) == ([("x", "FLOAT")], [(3.5,)])


@pytest.mark.parametrize(
    ("uris", "found"),
    [
        ("gs://bucket/in/1.csv", [(1, "a")]),
        ("gs://bucket/in/*.csv", [(1, "a"), (2, "b")]),
        (["gs://bucket/in/2.csv", "gs://bucket/in/1.csv"], [(1, "a"), (2, "b")]),
    ],
)
def test_buckets(client: bigquery.Client, rows: Rows, uris: Any, found: list[Any]) -> None:
    """Objects of Cloud Storage are files of a folder; each has its own header."""
    config = bigquery.LoadJobConfig(schema=TEXT, skip_leading_rows=1)
    client.load_table_from_uri(uris, "project-1.d.t", job_config=config).result()

    assert rows("SELECT * FROM t ORDER BY n") == found


@pytest.mark.parametrize(
    "uri",
    [
        *("gs://bucket/none.csv", "gs://bucket", "s3://bucket/in/1.csv"),
        *("gs://bucket/../../secret.csv", "gs:///in/1.csv", "gs://../secret.csv"),
    ],
)
def test_no_objects(client: bigquery.Client, uri: str) -> None:
    """What is no object, or outside of the folder, is refused."""
    config = bigquery.LoadJobConfig(schema=TEXT)
    with pytest.raises(exceptions.GoogleAPICallError, match=r"Invalid source URI|Not found: URI"):
        client.load_table_from_uri(uri, "project-1.d.t", job_config=config).result()


# https://cloud.google.com/bigquery/docs/managing-tables#copy-table
def test_copy(client: bigquery.Client, rows: Rows, load: Load) -> None:
    """Tables are copied into one that is made, emptied or filled up; itself included."""
    load(b"1,a\n2,b", schema=TEXT)
    made = client.copy_table("project-1.d.t", "project-1.d.u")
    made.result()
    with pytest.raises(exceptions.GoogleAPICallError, match="Already Exists"):
        client.copy_table("project-1.d.t", "project-1.d.u").result()
    append = bigquery.CopyJobConfig(write_disposition="WRITE_APPEND")
    sources = ["project-1.d.t", "project-1.d.u"]
    client.copy_table(sources, "project-1.d.u", job_config=append).result()
    appended = rows("SELECT COUNT(*), MAX(s) FROM u")
    truncate = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    client.copy_table("project-1.d.t", "project-1.d.u", job_config=truncate).result()

    assert made.state == "DONE"
    assert (appended, rows("SELECT n FROM u ORDER BY n")) == ([(6, "b")], [(1,), (2,)])


def test_copies_that_cannot_be(client: bigquery.Client, rows: Rows) -> None:
    """What does not exist, a view, and a snapshot are not copied."""
    rows("CREATE VIEW v AS SELECT 1 AS a")
    snapshot = bigquery.CopyJobConfig(operation_type="SNAPSHOT")
    for source, config in (("none", None), ("v", None), ("v", snapshot)):
        with pytest.raises(exceptions.GoogleAPICallError):
            client.copy_table(f"project-1.d.{source}", "project-1.d.u", job_config=config).result()
    with pytest.raises(exceptions.GoogleAPICallError, match="are needed"):
        client.copy_table([], "project-1.d.u").result()


def test_no_buckets(options: Options) -> None:
    """Without a folder, objects are refused with what is missing."""
    from msp_bigquery_emulator._errors import BigQueryError  # noqa: PLC0415 - only here
    from msp_bigquery_emulator._jobs.buckets import Buckets  # noqa: PLC0415 - only here

    assert options.buckets is not None
    with pytest.raises(BigQueryError, match="--buckets"):
        Buckets(None).read(["gs://bucket/in/1.csv"])
