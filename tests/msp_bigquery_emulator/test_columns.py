"""Columns with a default value or a limit: in every way that rows come."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from tests.msp_bigquery_emulator.conftest import Rows

FIELDS = [
    SchemaField("id", "INT64"),
    SchemaField("s", "STRING", default_value_expression="'none'"),
    SchemaField("at", "TIMESTAMP", default_value_expression="CURRENT_TIMESTAMP()"),
    SchemaField("r", "INT64", "REQUIRED", default_value_expression="7"),
]


@pytest.fixture
def table(client: bigquery.Client) -> bigquery.Table:
    """Return a table whose columns have defaults."""
    return client.create_table(bigquery.Table("project-1.d.t", schema=FIELDS))


# https://cloud.google.com/bigquery/docs/default-values
@pytest.mark.usefixtures("table")
def test_default_in_sql(rows: Rows) -> None:
    """A column that INSERT leaves out has its default; one that is given, or NULL, has that."""
    rows("INSERT INTO t (id) VALUES (1)")
    rows("INSERT INTO t (id, s, at) VALUES (2, NULL, NULL), (3, 'x', DEFAULT)")

    found = rows("SELECT id, s, at IS NULL, r FROM t ORDER BY id")
    assert found == [(1, "none", False, 7), (2, None, True, 7), (3, "x", False, 7)]


def test_default_of_streamed_rows(
    client: bigquery.Client, table: bigquery.Table, rows: Rows
) -> None:
    """A streamed row that lacks a column has its default; null is null."""
    sent: list[dict[str, Any]] = [{"id": 1}, {"id": 2, "s": None, "at": None}, {"id": 3, "s": "x"}]
    assert client.insert_rows_json(table, sent) == []
    refused = client.insert_rows_json(table, [{"id": 4, "r": None}])

    found = rows("SELECT id, s, at IS NULL, r FROM t ORDER BY id")
    assert found == [(1, "none", False, 7), (2, None, True, 7), (3, "x", False, 7)]
    assert refused[0]["errors"][0]["message"] == "Missing required field: r."


def test_rows_of_defaults(client: bigquery.Client, rows: Rows) -> None:
    """A row may have nothing but defaults."""
    made = client.create_table(bigquery.Table("project-1.d.t", schema=FIELDS[1:]))

    assert client.insert_rows_json(made, [{}, {}]) == []
    assert rows("SELECT s, r FROM t") == [("none", 7)] * 2


def test_default_of_loaded_rows(client: bigquery.Client, table: bigquery.Table, rows: Rows) -> None:
    """A load job that lacks a column leaves it to the default."""
    config = bigquery.LoadJobConfig(schema=FIELDS[:1], source_format="CSV")
    client.load_table_from_file(io.BytesIO(b"1\n"), table, size=2, job_config=config).result()

    assert rows("SELECT id, s, r FROM t") == [(1, "none", 7)]


def test_default_is_described(client: bigquery.Client, rows: Rows) -> None:
    """DDL gives a default, the API tells and changes it."""
    rows("CREATE TABLE t (a STRING DEFAULT 'x', d DATETIME DEFAULT CURRENT_DATETIME(), b INT64)")
    table = client.get_table("d.t")
    given = [field.default_value_expression for field in table.schema]
    table.schema = [
        SchemaField("a", "STRING", default_value_expression="'y'"),
        SchemaField("d", "DATETIME"),
        SchemaField("b", "INT64"),
        SchemaField("n", "INT64", default_value_expression="5"),
    ]
    rows("INSERT INTO t (b) VALUES (1)")
    client.update_table(table, ["schema"])
    rows("INSERT INTO t (b) VALUES (2)")

    assert given == ["'x'", "CURRENT_DATETIME()", None]
    found = rows("SELECT a, d, b, n FROM t ORDER BY b")
    assert isinstance(found[0][1], datetime)
    # A new column's default is for new rows only.
    assert [(a, b, n) for a, _, b, n in found] == [("x", 1, None), ("y", 2, 5)]
    assert found[1][1] is None


@pytest.mark.parametrize(
    ("kind", "expression", "value"),
    [
        ("STRING", "GENERATE_UUID()", None),
        ("FLOAT64", "RAND()", None),
        ("DATE", "CURRENT_DATE()", None),
        ("TIME", "CURRENT_TIME()", None),
        ("STRING", "SESSION_USER()", "nobody@localhost"),
        ("DATE", "DATE '2026-01-02'", None),
        ("NUMERIC", "-1.5", Decimal("-1.5")),
        ("BOOL", "TRUE", True),
        ("ARRAY<STRING>", "['a', 'b']", ["a", "b"]),
        ("JSON", "JSON '{}'", {}),
    ],
)
def test_default_expressions(rows: Rows, kind: str, expression: str, value: Any) -> None:
    """A default is a literal or one of a few functions."""
    rows(f"CREATE TABLE t (a {kind} DEFAULT {expression}, b INT64)")
    rows("INSERT INTO t (b) VALUES (1)")

    ((found,),) = rows("SELECT a FROM t")
    assert found == value if value is not None else found is not None


@pytest.mark.parametrize("expression", ["b + 1", "(SELECT 1)", "UPPER('x')", "'"])
def test_no_defaults(client: bigquery.Client, expression: str) -> None:
    """Anything else is refused."""
    schema = [SchemaField("a", "INT64", default_value_expression=expression)]
    with pytest.raises(exceptions.BadRequest, match="Invalid default value expression"):
        client.create_table(bigquery.Table("project-1.d.t", schema=schema))


def test_no_default_inside_of_a_record(client: bigquery.Client) -> None:
    """Only a whole column has a default."""
    inner = SchemaField("a", "INT64", default_value_expression="1")
    with pytest.raises(exceptions.BadRequest, match="only a whole column"):
        client.create_table(
            bigquery.Table("project-1.d.t", schema=[SchemaField("r", "RECORD", fields=[inner])])
        )


# https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types
@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("STRING(3)", "äbc", "abcd"),
        ("BYTES(3)", "YWJj", "YWJjZA=="),
        ("NUMERIC(4, 2)", "99.99", "100"),
        ("NUMERIC(3)", "999", "1000"),
        ("BIGNUMERIC(5, 1)", "9999.9", "99999"),
    ],
)
def test_limits(client: bigquery.Client, rows: Rows, kind: str, good: str, bad: str) -> None:
    """A value that is too large is refused in a streamed row and in SQL."""
    rows(f"CREATE TABLE t (a {kind})")
    table = client.get_table("d.t")
    errors = client.insert_rows_json(table, [{"a": good}, {"a": bad}], skip_invalid_rows=True)
    literal = f"FROM_BASE64('{bad}')" if kind.startswith("BYTES") else f"'{bad}'"
    literal = literal if kind[0] in "SB" and "NUM" not in kind else bad
    with pytest.raises(exceptions.BadRequest):
        rows(f"INSERT INTO t VALUES ({literal})")  # noqa: S608 - ours

    assert [error["index"] for error in errors] == [1]
    assert rows("SELECT COUNT(*) FROM t") == [(1,)]


def test_rounding(client: bigquery.Client, rows: Rows) -> None:
    """Digits behind those of the column are rounded, half away from zero."""
    rows("CREATE TABLE t (a NUMERIC(4, 2))")
    table = client.get_table("d.t")
    client.insert_rows_json(table, [{"a": "1.005"}, {"a": "-1.005"}])
    rows("INSERT INTO t VALUES (NUMERIC '2.005')")

    assert (table.schema[0].precision, table.schema[0].scale) == (4, 2)
    assert rows("SELECT a FROM t ORDER BY a") == [
        (Decimal("-1.01"),),
        (Decimal("1.01"),),
        (Decimal("2.01"),),
    ]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "INTEGER", "maxLength": "3"},
        {"type": "STRING", "maxLength": "0"},
        {"type": "STRING", "maxLength": "x"},
        {"type": "STRING", "precision": "3"},
        {"type": "NUMERIC", "precision": "30"},
        {"type": "NUMERIC", "scale": "2"},
        {"type": "NUMERIC", "precision": "12", "scale": "10"},
        {"type": "NUMERIC", "precision": "1", "scale": "2"},
    ],
)
def test_limits_that_cannot_be(client: bigquery.Client, field: dict[str, str]) -> None:
    """A limit fits its type."""
    schema = [SchemaField.from_api_repr({"name": "a", **field})]
    with pytest.raises((exceptions.BadRequest, ValueError)):
        client.create_table(bigquery.Table("project-1.d.t", schema=schema))


def test_length_cannot_change(client: bigquery.Client, rows: Rows) -> None:
    """A new length of a column is refused, not ignored."""
    rows("CREATE TABLE t (a STRING(3))")
    table = client.get_table("d.t")
    table.schema = [SchemaField("a", "STRING", max_length=5)]
    with pytest.raises(exceptions.MethodNotImplemented):
        client.update_table(table, ["schema"])
