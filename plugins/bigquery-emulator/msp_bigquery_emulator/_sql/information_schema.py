"""INFORMATION_SCHEMA: what exists, as relations that SQL can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msp_bigquery_emulator._errors import invalid_query, not_found
from msp_bigquery_emulator._store.catalog import Catalog, Table
from msp_bigquery_emulator._store.database import Cursor
from msp_bigquery_emulator._store.fields import Field, parse_fields
from msp_bigquery_emulator._store.storage import literal, rows_sql

PREFIX: Final = "INFORMATION_SCHEMA."

_Rows: TypeAlias = Iterator[Sequence[Any]]


def _columns(text: str) -> tuple[Field, ...]:
    """Return fields from `name TYPE, …`."""
    pairs = (pair.split() for pair in text.split(","))
    return parse_fields([{"name": name, "type": kind} for name, kind in pairs])


_WHERE: Final = "table_catalog STRING, table_schema STRING, table_name STRING"
_RELATIONS: Final = {
    "SCHEMATA": _columns(
        "catalog_name STRING, schema_name STRING, creation_time TIMESTAMP, location STRING"
    ),
    "TABLES": _columns(f"{_WHERE}, table_type STRING, creation_time TIMESTAMP"),
    "VIEWS": _columns(f"{_WHERE}, view_definition STRING, use_standard_sql STRING"),
    "COLUMNS": _columns(
        f"{_WHERE}, column_name STRING, ordinal_position INTEGER, is_nullable STRING, "
        "data_type STRING"
    ),
}
_SQL_NAMES: Final = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def relation_fields(name: str) -> tuple[Field, ...]:
    """Return the columns of a relation; none when there is no such one."""
    return _RELATIONS.get(name, ())


def relation(name: str, catalog: Catalog, cursor: Cursor, dataset: str | None) -> str:
    """Return DuckDB's SQL of one relation.

    Args:
        name: such as `TABLES`.
        catalog: to list.
        cursor: to read it with.
        dataset: to list; SCHEMATA needs none.

    Raises:
        BigQueryError: there is no such relation, or no such dataset.
    """
    fields = _RELATIONS.get(name)
    if fields is None:
        raise not_found("Table", f"{PREFIX}{name}")
    if name == "SCHEMATA":
        rows = _schemata(catalog, cursor)
    elif dataset is None:
        raise invalid_query(f"{PREFIX}{name} must be qualified with a dataset")
    else:
        tables = catalog.tables(cursor, dataset)
        rows = (
            (catalog.project, table.dataset, table.name, *row)
            for table in tables
            for row in _ROWS[name](table)
        )
    names = [field.name for field in fields]
    document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    return rows_sql(fields).replace("?", literal(document))


def _schemata(catalog: Catalog, cursor: Cursor) -> _Rows:
    for dataset, text in catalog.datasets(cursor):
        resource = json.loads(text)
        yield catalog.project, dataset, _micros(resource), resource["location"]


def _tables(table: Table) -> _Rows:
    yield "BASE TABLE" if table.view is None else "VIEW", _micros(table.resource)


def _views(table: Table) -> _Rows:
    if table.view is not None:
        yield table.view, "YES"


def _table_columns(table: Table) -> _Rows:
    for number, field in enumerate(table.fields, 1):
        nullable = "NO" if field.mode == "REQUIRED" else "YES"
        yield field.name, number, nullable, sql_type(field)


def sql_type(field: Field) -> str:
    """Return a field's type as GoogleSQL writes it."""
    if field.repeated:
        return f"ARRAY<{sql_type(field.element)}>"
    if field.type == "RECORD":
        members = ", ".join(f"{member.name} {sql_type(member)}" for member in field.fields)
        return f"STRUCT<{members}>"
    return _SQL_NAMES.get(field.type, field.type)


def _micros(resource: Mapping[str, Any]) -> int:
    return int(resource["creationTime"]) * 1000


_ROWS: Final[Mapping[str, Callable[[Table], _Rows]]] = {
    "TABLES": _tables,
    "VIEWS": _views,
    "COLUMNS": _table_columns,
}
