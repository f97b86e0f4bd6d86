"""Catalog: datasets and tables, their resources kept beside their rows."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import attrs

from msp_bigquery_emulator._errors import (
    BigQueryError,
    duplicate,
    invalid,
    not_found,
)
from msp_bigquery_emulator._store.columns import changes_sql, column_sql, columns_sql
from msp_bigquery_emulator._store.database import ANONYMOUS, CATALOG, NAME, RESULTS, Cursor
from msp_bigquery_emulator._store.fields import Field, normalize, parse_fields
from msp_bigquery_emulator._store.storage import quote

_ID: Final = re.compile(r"\w{1,1024}", re.ASCII)
_TABLE_ID: Final = re.compile(r"[\w -]{1,1024}")
_RESERVED: Final = ("information_schema", "pg_catalog")  # DuckDB's own
LOCATION: Final = "US"


@attrs.frozen
class Table:
    """One table or view.

    Attributes:
        dataset: it is in.
        name: of it.
        text: its resource, JSON; what made this record.
    """

    dataset: str
    name: str
    text: str

    @property
    def resource(self) -> dict[str, Any]:
        """A new copy of the resource, as clients gave it."""
        resource: dict[str, Any] = json.loads(self.text)
        return resource

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns, in their order."""
        return _fields_of(self.text)

    @property
    def view(self) -> str | None:
        """SQL of the view; None for a table."""
        return _view_of(self.text)

    @property
    def database(self) -> str:
        """The DuckDB database that the rows are in."""
        return _database_of(self.dataset)

    @property
    def sql_name(self) -> str:
        """The name of the DuckDB table."""
        return sql_name(self.dataset, self.name)


@lru_cache(maxsize=1024)
def _fields_of(text: str) -> tuple[Field, ...]:
    return parse_fields(json.loads(text)["schema"]["fields"])


@lru_cache(maxsize=1024)
def _view_of(text: str) -> str | None:
    query: str | None = json.loads(text).get("view", {}).get("query")
    return query


def sql_name(dataset: str, table: str) -> str:
    """Return the name that DuckDB's SQL has for a table."""
    return f"{_database_of(dataset)}.{quote(dataset)}.{quote(table)}"


def _database_of(dataset: str) -> str:
    return RESULTS if dataset == ANONYMOUS else NAME


def etag(text: str) -> str:
    """Return the tag of a resource's version."""
    return hashlib.sha256(text.encode()).hexdigest()[:22]


def now() -> str:
    """Return the time as resources have it: milliseconds since 1970, in a string."""
    return str(time.time_ns() // 1_000_000)


@attrs.frozen
class Catalog:
    """What exists. Each method works in the transaction of the cursor it is given.

    Attributes:
        project: the only one there is.
        anonymous: tables of results, by name.
    """

    project: str
    anonymous: dict[str, Table] = attrs.field(factory=dict)

    def create_dataset(self, cursor: Cursor, dataset: str, resource: Mapping[str, Any]) -> str:
        """Create a dataset and return its resource, JSON."""
        if not _ID.fullmatch(dataset) or dataset.lower() in _RESERVED or dataset == ANONYMOUS:
            raise invalid(f"Invalid dataset ID {dataset!r}: expected letters, digits and _")
        if self.find_dataset(cursor, dataset) is not None:
            raise duplicate("Dataset", f"{self.project}:{dataset}")
        text = _stamp({"location": LOCATION} | dict(resource), created=True)
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {NAME}.{quote(dataset)}")
        cursor.execute(f"INSERT INTO {CATALOG}.datasets VALUES (?, ?)", [dataset, text])
        return text

    def find_dataset(self, cursor: Cursor, dataset: str) -> str | None:
        """Return a dataset's resource, JSON; None when there is none."""
        cursor.execute(f"SELECT resource FROM {CATALOG}.datasets WHERE dataset = ?", [dataset])
        row = cursor.fetchone()
        return None if row is None else row[0]

    def dataset(self, cursor: Cursor, dataset: str) -> str:
        """Return a dataset's resource, JSON.

        Raises:
            BigQueryError: there is none.
        """
        text = self.find_dataset(cursor, dataset)
        if text is None:
            raise not_found("Dataset", f"{self.project}:{dataset}")
        return text

    def datasets(self, cursor: Cursor) -> list[tuple[str, str]]:
        """Return (name, resource) of all datasets."""
        return cursor.execute(f"SELECT * FROM {CATALOG}.datasets ORDER BY dataset").fetchall()

    def put_dataset(self, cursor: Cursor, dataset: str, resource: Mapping[str, Any]) -> str:
        """Replace a dataset's resource and return it, JSON."""
        text = _stamp(resource)
        cursor.execute(
            f"UPDATE {CATALOG}.datasets SET resource = ? WHERE dataset = ?", [text, dataset]
        )
        return text

    def delete_dataset(self, cursor: Cursor, dataset: str, *, contents: bool) -> None:
        """Delete a dataset, with what is in it when `contents` is true."""
        self.dataset(cursor, dataset)
        tables = self.tables(cursor, dataset)
        if tables and not contents:
            name = f"{self.project}:{dataset}"
            raise BigQueryError(400, "resourceInUse", f"Dataset {name} is still in use")
        for table in tables:
            self.delete_table(cursor, table)
        cursor.execute(f"DELETE FROM {CATALOG}.datasets WHERE dataset = ?", [dataset])

    def create_table(
        self, cursor: Cursor, dataset: str, name: str, resource: Mapping[str, Any]
    ) -> Table:
        """Create a table, or a view when the resource has one.

        Raises:
            BigQueryError: it exists, the dataset does not, or the schema is wrong.
        """
        self.dataset(cursor, dataset)
        if not _TABLE_ID.fullmatch(name):
            raise invalid(f"Invalid table ID {name!r}: expected letters, digits, _, - and spaces")
        if self.find_table(cursor, dataset, name) is not None:
            raise duplicate("Table", f"{self.project}:{dataset}.{name}")
        table = Table(dataset, name, _stamp(_with_schema(resource), created=True))
        if table.view is None:
            cursor.execute(f"CREATE TABLE {table.sql_name} ({columns_sql(table.fields)})")
        cursor.execute(
            f"INSERT INTO {CATALOG}.tables VALUES (?, ?, ?)", [dataset, name, table.text]
        )
        return table

    def find_table(self, cursor: Cursor, dataset: str, name: str) -> Table | None:
        """Return a table; None when there is none."""
        if dataset == ANONYMOUS:
            return self.anonymous.get(name)
        cursor.execute(
            f"SELECT * FROM {CATALOG}.tables WHERE dataset = ? AND name = ?", [dataset, name]
        )
        row = cursor.fetchone()
        return None if row is None else Table(*row)

    def table(self, cursor: Cursor, dataset: str, name: str) -> Table:
        """Return a table.

        Raises:
            BigQueryError: there is none.
        """
        table = self.find_table(cursor, dataset, name)
        if table is None:
            if dataset != ANONYMOUS:
                self.dataset(cursor, dataset)
            raise not_found("Table", f"{self.project}:{dataset}.{name}")
        return table

    def tables(self, cursor: Cursor, dataset: str) -> list[Table]:
        """Return the tables of a dataset."""
        self.dataset(cursor, dataset)
        cursor.execute(f"SELECT * FROM {CATALOG}.tables WHERE dataset = ? ORDER BY name", [dataset])
        return [Table(*row) for row in cursor.fetchall()]

    def put_table(self, cursor: Cursor, table: Table, resource: Mapping[str, Any]) -> Table:
        """Replace a table's resource; new columns are null in the rows there are.

        Raises:
            BigQueryError: the schema changes in a way that BigQuery refuses.
        """
        changed = attrs.evolve(table, text=_stamp(_with_schema(resource)))
        if changed.view is None:
            self._change_columns(cursor, table, changed.fields)
        cursor.execute(
            f"UPDATE {CATALOG}.tables SET resource = ? WHERE dataset = ? AND name = ?",
            [changed.text, table.dataset, table.name],
        )
        return changed

    def _change_columns(self, cursor: Cursor, table: Table, fields: tuple[Field, ...]) -> None:
        if not table.fields:
            columns = columns_sql(fields)
            cursor.execute(f"CREATE OR REPLACE TABLE {table.sql_name} ({columns})")
            return
        name = f"{self.project}:{table.dataset}.{table.name}"
        given = {field.name.lower(): field for field in fields}
        known = {field.name.lower(): field for field in table.fields}
        for key, field in known.items():
            if key not in given:
                raise invalid(
                    f"Provided Schema does not match Table {name}. {field.name} is missing"
                )
            for change in changes_sql(field, given[key], name):
                cursor.execute(f"ALTER TABLE {table.sql_name} {change}")
        for key, field in given.items():
            if key not in known:
                if field.mode == "REQUIRED":
                    raise invalid(f"Cannot add required fields to an existing schema: {field.name}")
                # Without a check, which DuckDB cannot add, and a default, which old rows get not.
                plain = attrs.evolve(field, default="", length=None)
                cursor.execute(f"ALTER TABLE {table.sql_name} ADD COLUMN {column_sql(plain)}")
                for change in changes_sql(attrs.evolve(field, default=""), field, name):
                    cursor.execute(f"ALTER TABLE {table.sql_name} {change}")

    def delete_table(self, cursor: Cursor, table: Table) -> None:
        """Delete a table or view, and its rows."""
        if table.view is None:
            cursor.execute(f"DROP TABLE {table.sql_name}")
        if table.dataset == ANONYMOUS:
            self.anonymous.pop(table.name, None)
            return
        cursor.execute(
            f"DELETE FROM {CATALOG}.tables WHERE dataset = ? AND name = ?",
            [table.dataset, table.name],
        )


def _with_schema(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource whose schema is valid and written in REST's words."""
    fields = (resource.get("schema") or {}).get("fields") or []
    parse_fields(fields)
    return {**resource, "schema": {"fields": normalize(fields)}}


def _stamp(resource: Mapping[str, Any], *, created: bool = False) -> str:
    at = now()
    stamps = {"lastModifiedTime": at} | ({"creationTime": at} if created else {})
    return json.dumps({**resource, **stamps})
