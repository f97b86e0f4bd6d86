"""Queries: GoogleSQL as DuckDB runs it, parameters, changes, and what they answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import (
    ArrayQueryParameter,
    ScalarQueryParameter,
    SchemaField,
    StructQueryParameter,
)

from tests.msp_bigquery_emulator.conftest import Rows

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1.5", 1.5),
        ("7 / 2", 3.5),
        ("DIV(7, 2)", 3),
        ("NUMERIC '1.5'", Decimal("1.5")),
        ("CAST('0.0000000001' AS BIGNUMERIC)", Decimal("0.0000000001")),
        ("CAST(1.26 AS NUMERIC(10, 1))", Decimal("1.3")),
        ("SUM(x)", 3),
        ("COUNTIF(x > 1)", 1),
        ("STRING_AGG(CAST(x AS STRING), '-')", "1-2"),
        ("ARRAY_AGG(x ORDER BY x DESC)", [2, 1]),
        ("STRUCT(1 AS a, 'b' AS b)", {"a": 1, "b": "b"}),
        ("JSON_VALUE(JSON '{\"a\": \"b\"}', '$.a')", "b"),
        ("JSON_VALUE('{\"a\": [1]}', '$.a[0]')", "1"),
        ("TO_JSON(STRUCT(1 AS a))", {"a": 1}),
        ("SAFE_CAST('a' AS INT64)", None),
        ("SAFE_DIVIDE(1, 0)", None),
        ("NULL", None),
        ("b'a'", b"a"),
        ("DATE '2026-01-02'", dt.date(2026, 1, 2)),
        ("TIME '01:02:03'", dt.time(1, 2, 3)),
        ("DATETIME '2026-01-02 03:04:05'", dt.datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - a DATETIME has no zone
        ("TIMESTAMP '2026-01-02 03:04:05.000006+00'", MOMENT),
        ("TIMESTAMP_MICROS(1767323045000006)", MOMENT),
        (
            "TIMESTAMP_TRUNC(TIMESTAMP '2026-01-02 03:04:05.5+00', SECOND)",
            MOMENT.replace(microsecond=0),
        ),
        ("EXTRACT(DATE FROM TIMESTAMP '2026-01-02 03:04:05+00')", dt.date(2026, 1, 2)),
        (
            "TIMESTAMP_SECONDS(UNIX_SECONDS(TIMESTAMP_MICROS(1767323045000006)))",
            MOMENT.replace(microsecond=0),
        ),
        ("PARSE_TIMESTAMP('%Y-%m-%d', '2026-01-02')", dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        ("TO_JSON_STRING([1])", "[1]"),
        ("EXTRACT(YEAR FROM DATE '2026-01-02')", 2026),
        ("DATE_DIFF(DATE '2026-01-03', DATE '2026-01-01', DAY)", 2),
        ("FORMAT_TIMESTAMP('%Y', TIMESTAMP '2026-01-02 03:04:05+00')", "2026"),
        ("CURRENT_DATETIME() < DATETIME '2000-01-01'", False),
        ("CURRENT_TIMESTAMP() > TIMESTAMP '2000-01-01'", True),
        ("LENGTH(GENERATE_UUID())", 36),
        ("REGEXP_CONTAINS('abc', r'b')", True),
        ("[1, 2, 3][OFFSET(0)]", 1),
    ],
)
def test_expression(rows: Rows, expression: str, value: Any) -> None:
    """An expression has BigQuery's value and type."""
    sql = f"SELECT {expression} FROM UNNEST([1, 2]) AS x LIMIT 1"  # noqa: S608 - of this test

    assert rows(sql) == [(value,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT x, 1, x + 1, 'a' AS x2 FROM UNNEST([5]) AS x", ["x", "f0_", "f1_", "x2"]),
        ("SELECT 1 UNION ALL SELECT 2", ["f0_"]),
        ("(SELECT 1)", ["f0_"]),
        ("WITH a AS (SELECT 1 AS b) SELECT *, a.b AS c FROM a", ["b", "c"]),
    ],
)
def test_column_names(client: bigquery.Client, sql: str, expected: list[str]) -> None:
    """Columns without a name have BigQuery's."""
    assert [field.name for field in client.query_and_wait(sql).schema] == expected


def test_parts_of_a_name(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """A table is named with project, dataset or neither, and by its own name in columns."""
    client.insert_rows_json(people, [{"name": "a"}])
    names = (
        "people",
        "d.people",
        "`project-1.d.people`",
        "`project-1`.d.people",
        "project-1.d.people",
    )
    for name in names:
        assert rows(f"SELECT people.name FROM {name}") == [("a",)]  # noqa: S608 - of this test

    with pytest.raises(exceptions.Forbidden, match="Access Denied"):
        rows("SELECT * FROM other.d.people")
    with pytest.raises(exceptions.BadRequest, match="must be qualified"):
        client.query_and_wait("SELECT * FROM people")


def test_arrays(client: bigquery.Client, rows: Rows) -> None:
    """Repeated fields are joined to their row."""
    items = SchemaField("items", "RECORD", "REPEATED", fields=[SchemaField("k", "STRING")])
    client.create_table(bigquery.Table("project-1.d.t", [SchemaField("n", "INT64"), items]))
    client.insert_rows_json("d.t", [{"n": 1, "items": [{"k": "a"}, {"k": "b"}]}, {"n": 2}])

    assert rows("SELECT n, i.k FROM t, UNNEST(t.items) AS i ORDER BY 2") == [(1, "a"), (1, "b")]
    assert rows("SELECT n, i.k FROM t, t.items AS i WHERE i.k = 'a'") == [(1, "a")]


def test_names_that_duckdb_reserves(rows: Rows) -> None:
    """A column may be called as a word of DuckDB's that is none of BigQuery's."""
    rows("CREATE TABLE t (at INT64, user STRING, references INT64, column INT64)")
    rows("INSERT INTO t (at, user, references, column) VALUES (1, 'a', 2, 3)")
    rows("UPDATE t SET at = at + 1 WHERE user = 'a'")

    assert rows("SELECT T.at, User, references AS placing, column FROM t") == [(2, "a", 2, 3)]


def test_named_parameters(rows: Rows) -> None:
    """Parameters of every shape stand for their values, wherever a value may stand."""
    struct = StructQueryParameter(
        "s",
        ScalarQueryParameter("a", "INT64", 1),
        ArrayQueryParameter("b", "DATE", [MOMENT.date()]),
    )
    found = rows(
        "SELECT @s.a, @S.b, TIMESTAMP_MICROS(UNIX_MICROS(@t)), @n, @j, @nothing, "
        '"it\'s" = @q FROM UNNEST(@list) AS x '
        "WHERE x IN UNNEST(@list) LIMIT @limit",
        struct,
        ScalarQueryParameter("t", "TIMESTAMP", MOMENT),
        ScalarQueryParameter("n", "NUMERIC", Decimal("1.5")),
        ScalarQueryParameter("j", "JSON", {"a": 1}),  # type: ignore[arg-type] # the stub lacks it
        ScalarQueryParameter("nothing", "STRING", None),
        ScalarQueryParameter("q", "STRING", "it's"),
        ArrayQueryParameter("list", "STRING", ["a", "b"]),
        ScalarQueryParameter("limit", "INT64", 1),
    )

    assert found == [(1, [MOMENT.date()], MOMENT, Decimal("1.5"), {"a": 1}, None, True)]


def test_positional_parameters(rows: Rows) -> None:
    """Question marks are filled in order; those in text and comments are none."""
    first, second = (
        ScalarQueryParameter(None, "INT64", 1),
        ScalarQueryParameter(None, "BOOL", value=True),
    )

    assert rows("SELECT ?, '?' /* ? */, ?", first, second) == [(1, "?", True)]
    with pytest.raises(exceptions.BadRequest, match="positional parameter not found"):
        rows("SELECT ?, ?", first)


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "p", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "a"}},
        {"name": "p", "parameterType": {"type": "GEOGRAPHY"}, "parameterValue": {"value": "a"}},
        {"name": "p"},
        {"name": "other", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "1"}},
    ],
)
def test_invalid_parameter(rest: httpx.Client, parameter: dict[str, Any]) -> None:
    """A parameter that is missing, or not of its type, is the client's mistake."""
    body = {"query": "SELECT @p", "queryParameters": [parameter]}

    assert rest.post("/queries", json=body).status_code == 400


def test_struct_that_is_null(rest: httpx.Client) -> None:
    """A struct without values is null; one without names has numbers for them."""
    kind = {"type": "STRUCT", "structTypes": [{"type": {"type": "INT64"}}]}
    body = {
        "query": "SELECT @p, @q._field_1",
        "queryParameters": [
            {"name": "p", "parameterType": kind, "parameterValue": {}},
            {
                "name": "q",
                "parameterType": kind,
                "parameterValue": {"structValues": {"_field_1": {"value": "7"}}},
            },
        ],
    }

    assert rest.post("/queries", json=body).json()["rows"] == [{"f": [{"v": None}, {"v": "7"}]}]


def test_changes(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """Each change tells how many rows it inserted, updated and deleted."""

    def change(sql: str) -> tuple[int | None, dict[str, int]]:
        job = client.query(sql)
        job.result()
        stats = job.dml_stats
        return job.num_dml_affected_rows, {} if stats is None else stats._asdict()

    inserted = change("INSERT INTO d.people (name, age) VALUES ('a', 1), ('b', 2), ('c', 3)")
    updated = change("UPDATE d.people SET age = age + 1 WHERE age > 1")
    deleted = change("DELETE FROM d.people WHERE name = 'c'")
    merged = change(
        "MERGE d.people AS p USING (SELECT 'b' AS name, 9 AS age UNION ALL SELECT 'd', 4) AS n "
        "ON p.name = n.name WHEN MATCHED THEN UPDATE SET age = n.age "
        "WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE THEN DELETE"
    )

    assert (inserted[0], updated[0], deleted[0], merged[0]) == (3, 2, 1, 3)
    assert set(merged[1].values()) == {1}
    assert rows("SELECT name, age FROM people ORDER BY name") == [("b", 9), ("d", 4)]
    assert change("TRUNCATE TABLE d.people")[0] == 2


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("", 400),
        ("SELEC 1", 400),
        ("selec", 400),
        ("SELECT", 400),
        ("SELECT (1", 400),
        ("SELECT 'a", 400),
        ("SELECT nope FROM d.people", 400),
        ("SELECT NOPE(1)", 400),
        ("SELECT CAST('a' AS INT64)", 400),
        ("SELECT 1 AS a, 2 AS a", 400),
        ("INSERT INTO d.people (age) VALUES (1)", 400),
        ("INSERT INTO d.people (name) VALUES (1, 2)", 400),
        ("SELECT * FROM d.nope", 404),
        ("SELECT * FROM nope.nope", 404),
        ("SELECT * FROM d.INFORMATION_SCHEMA.NOPE", 404),
        ("SELECT * FROM INFORMATION_SCHEMA.TABLES", 400),
        ("SELECT 1; SELECT 2", 501),
        ("SELECT 1 UNION ALL BY NAME SELECT 1 AS a", 400),
        ("SELECT * FROM d.f(1)", 400),
        ("SELECT * FROM VECTOR_SEARCH(TABLE d.people, 'name', TABLE d.people)", 501),
        ("SELECT `a", 400),
        ("SELECT /* a", 400),
        ("CREATE TABLE d.k (a INT64 PRIMARY KEY NOT ENFORCED)", 501),
        ("SELECT * FROM READ_CSV('/etc/passwd')", 400),
        ("SELECT INTERVAL 1 DAY", 501),
        ("SELECT CURRENT_DATETIME('Asia/Nowhere')", 400),
        ("GRANT `roles/viewer` ON SCHEMA d TO 'user:a'", 501),
        ("CREATE FUNCTION f() AS (1)", 501),
        ("ALTER VIEW d.v SET OPTIONS ()", 501),
    ],
)
def test_mistakes(rest: httpx.Client, people: bigquery.Table, sql: str, status: int) -> None:
    """A mistake is never a server's failure: clients would try it again for minutes."""
    direct = rest.post("/queries", json={"query": sql})
    body = {"configuration": {"query": {"query": sql}}}
    job = rest.post("/jobs", json=body).json()

    assert people.table_id == "people"
    assert direct.status_code == status
    assert job["status"]["state"] == "DONE"
    assert job["status"]["errorResult"]["reason"] == direct.json()["error"]["errors"][0]["reason"]


def test_files_are_out_of_reach(rest: httpx.Client) -> None:
    """A query reaches nothing of the machine but the data."""
    answer = rest.post("/queries", json={"query": "SELECT * FROM UNNEST(glob('/etc/*'))"})
    listed = rest.post("/queries", json={"query": "SELECT read_text('/etc/passwd')"})

    assert (answer.status_code, listed.status_code) == (400, 400)


def test_views_of_views(client: bigquery.Client, rows: Rows) -> None:
    """Views may be built on views, but not without end."""
    rows("CREATE VIEW v0 AS SELECT 1 AS a")
    for number in range(16):
        view = f"SELECT a + 1 AS a FROM d.v{number}"  # noqa: S608 - of this test
        rows(f"CREATE VIEW v{number + 1} AS {view}")

    assert rows("SELECT a FROM v15") == [(16,)]
    with pytest.raises(exceptions.BadRequest, match="nested"):
        rows("SELECT a FROM v16")
    assert len(list(client.list_tables("d"))) == 17


def test_legacy_sql(client: bigquery.Client) -> None:
    """Legacy SQL is refused, in words."""
    config = bigquery.QueryJobConfig(use_legacy_sql=True)
    with pytest.raises(exceptions.MethodNotImplemented, match="legacy SQL"):
        client.query_and_wait("SELECT 1", job_config=config)
