"""Results: what queries without a destination gave, as tables of an anonymous dataset."""

from __future__ import annotations

import json
import time
import uuid
from typing import Final

import attrs

from msp_bigquery_emulator._store.catalog import (
    LOCATION,
    Catalog,
    Table,
    now,
    sql_name,
)
from msp_bigquery_emulator._store.database import ANONYMOUS, Cursor, Database
from msp_bigquery_emulator._store.fields import Field

_LIFETIME: Final = 24 * 3600 * 1000  # milliseconds, as BigQuery has it


@attrs.frozen
class Results:
    """Tables that one query each made; in memory, beside the data, gone with the process.

    Attributes:
        database: to write to.
        catalog: where they are found.
    """

    database: Database
    catalog: Catalog

    def write(self, cursor: Cursor, sql: str) -> tuple[str, int]:
        """Write what a query gives and return the new table's name and its rows' number."""
        name = f"anon{uuid.uuid4().hex}"
        row = cursor.execute(f"CREATE TABLE {sql_name(ANONYMOUS, name)} AS {sql}").fetchone()
        return name, 0 if row is None else int(row[0])

    def keep(self, name: str, fields: tuple[Field, ...]) -> Table:
        """Make a written table known, until it is dropped."""
        schema = {"fields": [field.resource() for field in fields]}
        resource = {
            "schema": schema,
            "creationTime": now(),
            "lastModifiedTime": now(),
            "expirationTime": str(time.time_ns() // 1_000_000 + _LIFETIME),
            "location": LOCATION,
        }
        table = self.catalog.anonymous[name] = Table(ANONYMOUS, name, json.dumps(resource))
        return table

    def drop(self, name: str) -> None:
        """Forget a table and its rows."""
        self.catalog.anonymous.pop(name, None)
        with self.database.read() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {sql_name(ANONYMOUS, name)}")
