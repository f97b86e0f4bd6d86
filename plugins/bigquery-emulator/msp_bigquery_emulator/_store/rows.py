"""Rows of a table: put in as one JSON document, read page by page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msp_bigquery_emulator._errors import invalid
from msp_bigquery_emulator._store.catalog import Table
from msp_bigquery_emulator._store.database import Cursor
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.storage import quote, rows_sql


def insert(cursor: Cursor, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows, which `values` has checked, in one statement.

    Raises:
        BigQueryError: the table is a view or has no schema.
    """
    if table.view is not None or not table.fields:
        raise invalid(
            f"Cannot add rows to {table.dataset}.{table.name}: it is a view or has no schema"
        )
    defaults = [field.name for field in table.fields if field.default]
    groups: dict[frozenset[str], list[Mapping[str, Any]]] = {}
    for row in rows:
        missing = frozenset(name for name in defaults if name not in row)
        groups.setdefault(missing, []).append(row)
    for missing, group in groups.items():
        fields = tuple(field for field in table.fields if field.name not in missing)
        if fields:
            sql = f"INSERT INTO {table.sql_name} BY NAME {rows_sql(fields)}"
            cursor.execute(sql, [json.dumps(group)])
        else:
            for _ in group:
                cursor.execute(f"INSERT INTO {table.sql_name} DEFAULT VALUES")


def count(cursor: Cursor, table: Table) -> int:
    """Return how many rows a table has; a view has none of its own."""
    if table.view is not None:
        return 0
    row = cursor.execute(f"SELECT count(*) FROM {table.sql_name}").fetchone()
    return 0 if row is None else int(row[0])


def page(
    cursor: Cursor,
    table: Table,
    fields: Sequence[Field],
    *,
    start: int,
    size: int,
    whole: bool = False,
) -> list[tuple[Any, ...]]:
    """Return rows in the order they came in.

    Args:
        cursor: to read with.
        table: to read.
        fields: to give, at least one.
        start: number of the first row, from 0.
        size: rows at most.
        whole: no row was ever deleted, so that their numbers say where they are.
    """
    columns = ", ".join(quote(field.name) for field in fields)
    sql = f"SELECT {columns} FROM {table.sql_name}"
    if whole:
        sql += f" WHERE rowid >= {start} AND rowid < {start + size} ORDER BY rowid"
    else:
        sql += f" ORDER BY rowid LIMIT {size} OFFSET {start}"
    return cursor.execute(sql).fetchall()
