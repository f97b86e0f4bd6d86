"""Statements that make, change and drop; and INFORMATION_SCHEMA, which shows it."""

from __future__ import annotations

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.msp_bigquery_emulator.conftest import Rows


def test_create_table(client: bigquery.Client, rows: Rows) -> None:
    """CREATE TABLE makes what the API would have made."""
    rows(
        "CREATE TABLE t (a INT64 NOT NULL OPTIONS (description = 'first'), b ARRAY<STRING>, "
        "c STRUCT<x NUMERIC(10, 2), y ARRAY<DATE>>, at TIMESTAMP) "
        "PARTITION BY DATE(at) CLUSTER BY a, at "
        "OPTIONS (description = 'of the test', friendly_name = 'T', labels = [('a', 'b')])"
    )
    table = client.get_table("d.t")
    a, b, c, _ = table.schema

    assert (a.field_type, a.mode, a.description) == ("INTEGER", "REQUIRED", "first")
    assert (b.field_type, b.mode) == ("STRING", "REPEATED")
    assert [(x.name, x.field_type, x.mode) for x in c.fields] == [
        ("x", "NUMERIC", "NULLABLE"),
        ("y", "DATE", "REPEATED"),
    ]
    assert table.time_partitioning == bigquery.TimePartitioning(field="at")
    assert table.clustering_fields == ["a", "at"]
    assert (table.description, table.friendly_name) == ("of the test", "T")


def test_partition_by_time_of_arrival(client: bigquery.Client, rows: Rows) -> None:
    """A table may be partitioned by no column of its own."""
    rows("CREATE TABLE t (a INT64) PARTITION BY _PARTITIONDATE")

    assert client.get_table("d.t").time_partitioning == bigquery.TimePartitioning()


def test_create_table_of_a_query(rows: Rows) -> None:
    """CREATE TABLE AS keeps rows; it may read what it replaces, and leave what exists."""
    rows("CREATE TABLE t AS SELECT 1 AS a, ['x'] AS b")
    rows("CREATE TABLE IF NOT EXISTS t AS SELECT 5 AS a")
    rows("CREATE OR REPLACE TABLE t AS SELECT a + 1 AS a FROM t")
    rows("CREATE OR REPLACE TABLE u (a INT64, b STRING) AS SELECT 3 AS a, 'y' AS b")

    assert rows("SELECT * FROM t") == [(2,)]
    assert rows("SELECT * FROM u") == [(3, "y")]
    with pytest.raises(exceptions.Conflict):
        rows("CREATE TABLE t AS SELECT 1 AS a")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t",
        "CREATE TABLE t LIKE people",
        "CREATE TEMP TABLE t AS SELECT 1 AS a",
    ],
)
def test_other_tables(rows: Rows, people: bigquery.Table, sql: str) -> None:
    """What CREATE TABLE cannot do here it says."""
    assert people.table_id == "people"
    with pytest.raises(exceptions.MethodNotImplemented):
        rows(sql)


def test_add_columns(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """ALTER TABLE adds columns, those that are there already only if it says so."""
    rows("ALTER TABLE people ADD COLUMN IF NOT EXISTS age INT64, ADD COLUMN zip STRING")

    assert [field.name for field in client.get_table(people).schema] == ["name", "age", "zip"]
    with pytest.raises(exceptions.BadRequest, match="Duplicate"):
        rows("ALTER TABLE people ADD COLUMN zip STRING")
    with pytest.raises(exceptions.MethodNotImplemented):
        rows("ALTER TABLE people DROP COLUMN zip")


def test_drop(people: bigquery.Table, rows: Rows) -> None:
    """DROP takes tables for tables and views for views."""
    rows("CREATE VIEW v AS SELECT 1 AS a")
    for wrong in ("DROP VIEW people", "DROP TABLE v"):
        with pytest.raises(exceptions.BadRequest, match="is not a"):
            rows(wrong)
    rows("DROP VIEW v")
    rows(f"DROP TABLE {people.table_id}")
    rows("DROP TABLE IF EXISTS people")
    with pytest.raises(exceptions.NotFound):
        rows("DROP TABLE people")

    assert rows("SELECT count(*) FROM d.INFORMATION_SCHEMA.TABLES") == [(0,)]


def test_views_are_replaced(rows: Rows) -> None:
    """CREATE VIEW replaces when asked, and refuses a query that cannot be."""
    rows("CREATE VIEW v AS SELECT 1 AS a")
    rows("CREATE OR REPLACE VIEW v AS SELECT 2 AS a")
    with pytest.raises(exceptions.BadRequest):
        rows("CREATE OR REPLACE VIEW v AS SELECT nope")

    assert rows("SELECT a FROM v") == [(2,)]


def test_datasets(client: bigquery.Client, rows: Rows) -> None:
    """CREATE SCHEMA and DROP SCHEMA make and drop datasets."""
    rows("CREATE SCHEMA e")
    rows("CREATE SCHEMA IF NOT EXISTS e")
    rows("CREATE TABLE e.t AS SELECT 1 AS a")
    rows("DROP SCHEMA e CASCADE")
    rows("DROP SCHEMA IF EXISTS e")

    assert [dataset.dataset_id for dataset in client.list_datasets()] == ["d"]
    with pytest.raises(exceptions.NotFound):
        rows("DROP SCHEMA e")


def test_information_schema(people: bigquery.Table, rows: Rows) -> None:
    """What exists can be queried."""
    rows("CREATE VIEW v AS SELECT STRUCT(1.5 AS x) AS s, [TRUE] AS l")

    assert people.table_id == "people"
    assert rows("SELECT table_name, table_type FROM d.INFORMATION_SCHEMA.TABLES ORDER BY 1") == [
        ("people", "BASE TABLE"),
        ("v", "VIEW"),
    ]
    assert rows(
        "SELECT c.column_name, c.ordinal_position, c.is_nullable, c.data_type "
        "FROM `project-1.d.INFORMATION_SCHEMA.COLUMNS` AS c"
    ) == [
        ("name", 1, "NO", "STRING"),
        ("age", 2, "YES", "INT64"),
        ("s", 1, "YES", "STRUCT<x FLOAT64>"),
        ("l", 2, "YES", "ARRAY<BOOL>"),
    ]
    assert rows("SELECT schema_name, location FROM INFORMATION_SCHEMA.SCHEMATA") == [("d", "US")]
    assert rows("SELECT table_name FROM INFORMATION_SCHEMA.VIEWS") == [("v",)]


def test_dry_runs(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """A dry run tells the columns, or the mistake, and does nothing."""
    config = bigquery.QueryJobConfig(dry_run=True)
    selected = client.query("SELECT name, 1 AS one FROM d.people", job_config=config)
    for sql in ("INSERT INTO d.people (name) VALUES ('a')", "CREATE TABLE d.t AS SELECT 1 AS a"):
        client.query(sql, job_config=config)

    assert [field.name for field in selected.schema or ()] == ["name", "one"]
    assert rows("SELECT * FROM people") == []
    assert [table.table_id for table in client.list_tables("d")] == [people.table_id]


# https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
@pytest.mark.parametrize(
    "name", ["`project-1.made`", "`project-1`.made", "`project-1`.`made`", "made"]
)
def test_names_of_datasets(client: bigquery.Client, rows: Rows, name: str) -> None:
    """A dataset is named with its project in one pair of quotes, in two, or without it."""
    rows(f"CREATE SCHEMA {name}")
    made = [one.dataset_id for one in client.list_datasets()]
    rows(f"DROP SCHEMA IF EXISTS {name}")
    rows(f"DROP SCHEMA IF EXISTS {name}")

    assert made == ["d", "made"]
    assert [one.dataset_id for one in client.list_datasets()] == ["d"]


# https://cloud.google.com/bigquery/docs/error-messages
@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        (
            "SELECT * FROM d.nope",
            exceptions.NotFound,
            "Not found: Table project-1:d.nope was not found in location US",
        ),
        (
            "SELECT * FROM nope.t",
            exceptions.NotFound,
            "Not found: Dataset project-1:nope was not found in location US",
        ),
        (
            "SELECT * FROM `other-project.d.t`",
            exceptions.Forbidden,
            "Access Denied: Table other-project:d.t: User does not",
        ),
        ("CREATE SCHEMA `other-project.d`", exceptions.Forbidden, "Access Denied"),
    ],
)
def test_what_is_not_there(rows: Rows, sql: str, error: type[Exception], message: str) -> None:
    """What a statement names and is not there is named in BigQuery's words."""
    with pytest.raises(error, match=message):
        rows(sql)
