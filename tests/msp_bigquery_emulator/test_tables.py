"""Tables: made, described, listed, changed, deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from tests.msp_bigquery_emulator.conftest import Rows


def test_resource(client: bigquery.Client) -> None:
    """Partitioning, clustering and descriptions are kept as they were given."""
    table = bigquery.Table("project-1.d.t", schema=[SchemaField("at", "TIMESTAMP")])
    table.time_partitioning = bigquery.TimePartitioning(field="at", expiration_ms=1000)
    table.clustering_fields = ["at"]
    table.description = "of the test"
    client.create_table(table)
    found = client.get_table("d.t")
    (listed,) = client.list_tables("d")

    assert found.time_partitioning == table.time_partitioning
    assert (found.clustering_fields, found.description) == (["at"], "of the test")
    assert (found.num_rows, found.table_type, found.created is not None) == (0, "TABLE", True)
    assert listed.full_table_id == "project-1:d.t"


def test_schema_in_standard_names(client: bigquery.Client) -> None:
    """Types may be called as SQL or as REST calls them; REST's come back."""
    members = [SchemaField("a", "FLOAT64"), SchemaField("b", "BOOL")]
    fields = [SchemaField("n", "INT64"), SchemaField("r", "STRUCT", "REPEATED", fields=members)]
    client.create_table(bigquery.Table("project-1.d.t", schema=fields))
    number, record = client.get_table("d.t").schema

    assert (number.field_type, record.field_type, record.mode) == ("INTEGER", "RECORD", "REPEATED")
    assert [member.field_type for member in record.fields] == ["FLOAT", "BOOLEAN"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("text", "no list"),
        ([1], "no field"),
        ([{"name": "1a", "type": "STRING"}], "Invalid field name"),
        ([{"name": "a", "type": "GEOGRAPHY"}], "Invalid type"),
        ([{"name": "a", "type": "STRING", "mode": "MANY"}], "Invalid mode"),
        ([{"name": "a", "type": "RECORD"}], "have fields"),
        ([{"name": "a", "type": "STRING"}, {"name": "A", "type": "STRING"}], "Duplicate"),
    ],
)
def test_invalid_schema(rest: httpx.Client, fields: Any, message: str) -> None:
    """A schema that cannot be is the client's mistake, and the answer says which."""
    body = {"tableReference": {"tableId": "t"}, "schema": {"fields": fields}}
    answer = rest.post("/datasets/d/tables", json=body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_schema_that_is_too_deep(rest: httpx.Client) -> None:
    """Records nest as deep as BigQuery lets them."""
    field: dict[str, Any] = {"name": "a", "type": "STRING"}
    for _ in range(17):
        field = {"name": "a", "type": "RECORD", "fields": [field]}
    body = {"tableReference": {"tableId": "t"}, "schema": {"fields": [field]}}
    answer = rest.post("/datasets/d/tables", json=body)

    assert "too deeply" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", [None, "a/b", "a.b"])
def test_invalid_name(rest: httpx.Client, name: str | None) -> None:
    """A table needs a name that SQL can write."""
    answer = rest.post("/datasets/d/tables", json={"tableReference": {"tableId": name}})

    assert answer.status_code == 400


def test_missing_dataset(client: bigquery.Client) -> None:
    """What is looked for in a dataset that does not exist is not found, by the dataset's name."""
    with pytest.raises(exceptions.NotFound, match="Dataset project-1:nope"):
        client.create_table("project-1.nope.t")
    with pytest.raises(exceptions.NotFound, match="Dataset project-1:nope"):
        client.get_table("nope.t")
    with pytest.raises(exceptions.NotFound, match="Dataset project-1:nope"):
        list(client.list_tables("nope"))


def test_existing(client: bigquery.Client, people: bigquery.Table) -> None:
    """A second table of one name is a duplicate; DuckDB also takes another case for the same."""
    with pytest.raises(exceptions.Conflict, match=r"project-1:d\.people"):
        client.create_table(people)
    with pytest.raises(exceptions.BadRequest):
        client.create_table("project-1.d.PEOPLE")


def test_new_columns(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """Columns, and members of records, that are added are null in the rows there are."""
    client.insert_rows_json(people, [{"name": "a"}])
    record = SchemaField("r", "RECORD", fields=[SchemaField("x", "INT64")])
    relaxed = SchemaField("name", "STRING")
    people.schema = [relaxed, people.schema[1], record]
    people = client.update_table(people, ["schema"])
    members = (SchemaField("x", "INT64"), SchemaField("y", "STRING"))
    people.schema = [*people.schema[:2], SchemaField("r", "RECORD", fields=members)]
    client.update_table(people, ["schema"])
    client.insert_rows_json("d.people", [{"r": {"x": 1, "y": "z"}}])

    assert rows("SELECT name, r.x, r.y FROM people ORDER BY name") == [
        (None, 1, "z"),
        ("a", None, None),
    ]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([SchemaField("name", "STRING", "REQUIRED")], "age is missing"),
        ([SchemaField("name", "INT64", "REQUIRED"), SchemaField("age", "INT64")], "has changed"),
        (
            [SchemaField("name", "STRING", "REQUIRED"), SchemaField("age", "INT64", "REPEATED")],
            "NULLABLE INTEGER to REPEATED INTEGER",
        ),
        (
            [
                SchemaField("name", "STRING", "REQUIRED"),
                SchemaField("age", "INT64"),
                SchemaField("z", "INT64", "REQUIRED"),
            ],
            "Cannot add required fields",
        ),
    ],
)
def test_refused_change(
    client: bigquery.Client, people: bigquery.Table, schema: list[SchemaField], message: str
) -> None:
    """A schema changes only as BigQuery lets it."""
    people.schema = schema
    with pytest.raises(exceptions.BadRequest, match=message):
        client.update_table(people, ["schema"])

    assert len(client.get_table("d.people").schema) == 2


def test_table_without_schema(client: bigquery.Client, rows: Rows) -> None:
    """A table may have no schema at first; until it has one it takes and gives no rows."""
    table = client.create_table("project-1.d.t")
    for refused in (
        lambda: client.insert_rows_json(table, [{}]),
        lambda: rows("SELECT * FROM t"),
    ):
        with pytest.raises(exceptions.BadRequest, match="schema"):
            refused()
    before = list(client.list_rows(table, selected_fields=[SchemaField("a", "INT64")][:0]))
    table.schema = [SchemaField("a", "INT64")]
    client.update_table(table, ["schema"])
    client.insert_rows_json("d.t", [{"a": 1}])

    assert before == []
    assert rows("SELECT * FROM t") == [(1,)]


def test_view(client: bigquery.Client, people: bigquery.Table, rows: Rows) -> None:
    """A view has the columns of its query, changes with it, and is read like a table."""
    client.insert_rows_json(people, [{"name": "a", "age": 1}])
    view = bigquery.Table("project-1.d.v")
    view.view_query = "SELECT name, age + 1 AS older FROM `project-1.d.people`"
    view = client.create_table(view)
    columns = [field.name for field in view.schema]
    first = rows("SELECT older FROM d.v AS w WHERE w.name = 'a'")
    view.view_query = "SELECT 5 AS five FROM d.people"
    view = client.update_table(view, ["view_query"])

    assert (columns, first) == (["name", "older"], [(2,)])
    assert rows("SELECT v.five FROM v") == [(5,)]
    assert (view.table_type, view.num_rows) == ("VIEW", 0)
    with pytest.raises(exceptions.BadRequest, match="type VIEW"):
        list(client.list_rows(view))
    with pytest.raises(exceptions.BadRequest, match="is a view"):
        client.insert_rows_json(view, [{"five": 1}])
    client.delete_table(view)
    with pytest.raises(exceptions.NotFound):
        rows("SELECT * FROM v")


@pytest.mark.parametrize("kind", ["materializedView", "externalDataConfiguration"])
def test_other_tables(rest: httpx.Client, kind: str) -> None:
    """What the emulator does not have is said to be missing, not half made."""
    body = {"tableReference": {"tableId": "t"}, kind: {"query": "SELECT 1"}}

    assert rest.post("/datasets/d/tables", json=body).status_code == 501
