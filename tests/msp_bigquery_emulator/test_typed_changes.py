"""Statements that change rows have the types of BigQuery too, and results its columns."""

from __future__ import annotations

from decimal import Decimal

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from tests.msp_bigquery_emulator.conftest import Rows


def test_changes(rows: Rows) -> None:
    """NUMERIC stays exact and structs fit by position, whatever the statement.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax
    """
    rows("CREATE TABLE t (s STRUCT<a INT64, b STRING>, n NUMERIC)")
    rows("INSERT INTO t VALUES (STRUCT(1, 'x'), 1.5), ((2, 'y'), 2)")
    rows("INSERT INTO t SELECT STRUCT(3, 'z'), NUMERIC '1' / 3")
    rows("UPDATE t SET n = n / 3 WHERE s.a = 1")
    rows(
        "MERGE t USING (SELECT 2 AS a) AS u ON t.s.a = u.a WHEN MATCHED THEN UPDATE SET n = t.n / 3"
    )
    assert rows("SELECT s.a, n FROM t ORDER BY s.a") == [
        (1, Decimal("0.5")),
        (2, Decimal("0.666666667")),
        (3, Decimal("0.333333333")),
    ]
    with pytest.raises(exceptions.BadRequest, match="division by zero"):
        rows("UPDATE t SET n = n / x FROM (SELECT 0 AS x) AS u WHERE TRUE")

    rows("DELETE FROM t WHERE n / 1 < 0.6")

    assert rows("SELECT s.a FROM t") == [(2,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT AS STRUCT 1 AS a, 2 AS b", ["a", "b"]),
        ("SELECT (a) FROM (SELECT 1 AS a)", ["a"]),
        ("SELECT [STRUCT(1 AS a)][OFFSET(0)].a", ["a"]),
        ("SELECT * FROM (SELECT 1 AS a) UNPIVOT (v FOR n IN (a))", ["v", "n"]),
        ("SELECT * FROM UNNEST([STRUCT(1 AS a)]) AS s WITH OFFSET AS o", ["a", "o"]),
    ],
)
def test_columns(client: bigquery.Client, sql: str, expected: list[str]) -> None:
    """A result has the columns of BigQuery, in its order.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax
    """
    assert [field.name for field in client.query_and_wait(sql).schema] == expected


@pytest.mark.parametrize(
    "sql", ["SELECT AS VALUE 1", "SELECT TIMESTAMP '2024-01-02' AT TIME ZONE 'UTC'"]
)
def test_what_is_refused(rows: Rows, sql: str) -> None:
    """What would be answered otherwise is not answered."""
    with pytest.raises(exceptions.MethodNotImplemented):
        rows(sql)


def test_types_of_lists(rows: Rows) -> None:
    """The columns of INFORMATION_SCHEMA have types: they compare."""
    assert rows("SELECT 1 FROM INFORMATION_SCHEMA.TABLES t WHERE t.table_name = t.table_type") == []
