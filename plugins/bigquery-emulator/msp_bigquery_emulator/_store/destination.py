"""Destination: the table that a query's or load job's rows go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from msp_bigquery_emulator._errors import duplicate, not_found
from msp_bigquery_emulator._store.catalog import Catalog, Table
from msp_bigquery_emulator._store.database import Cursor
from msp_bigquery_emulator._store.fields import Field


@attrs.frozen
class Destination:
    """A table that is made, filled up or written anew.

    Attributes:
        dataset: it is in.
        table: name of it.
        create: `CREATE_IF_NEEDED` or `CREATE_NEVER`.
        write: `WRITE_EMPTY`, `WRITE_APPEND` or `WRITE_TRUNCATE`.
        resource: further parts of the resource when it is made, such as `timePartitioning`.
    """

    dataset: str
    table: str
    create: str
    write: str
    resource: Mapping[str, Any]

    @classmethod
    def of(cls, request: Mapping[str, Any], *, write: str = "WRITE_EMPTY") -> Destination | None:
        """Return the destination of a request; None when it names none.

        Args:
            request: REST's configuration of a query or load job.
            write: the disposition when the request has none.
        """
        reference = request.get("destinationTable")
        if not reference:
            return None
        kept = ("timePartitioning", "rangePartitioning", "clustering")
        return cls(
            dataset=reference["datasetId"],
            table=reference["tableId"],
            create=request.get("createDisposition") or "CREATE_IF_NEEDED",
            write=request.get("writeDisposition") or write,
            resource={name: request[name] for name in kept if name in request},
        )

    def open(self, cursor: Cursor, catalog: Catalog, fields: tuple[Field, ...]) -> Table:
        """Return the table, made or emptied as asked.

        Args:
            cursor: in the transaction that writes the rows.
            catalog: of tables.
            fields: of the table when it is made.

        Raises:
            BigQueryError: it is missing and shall not be made, or is not empty and should be.
        """
        name = f"{catalog.project}:{self.dataset}.{self.table}"
        table = catalog.find_table(cursor, self.dataset, self.table)
        if table is None:
            if self.create == "CREATE_NEVER":
                raise not_found("Table", name)
            return catalog.create_table(
                cursor, self.dataset, self.table, self._complete({}, fields)
            )
        if self.write == "WRITE_TRUNCATE":
            catalog.delete_table(cursor, table)
            resource = self._complete(table.resource, fields)
            return catalog.create_table(cursor, self.dataset, self.table, resource)
        if self.write == "WRITE_EMPTY" and _has_rows(cursor, table):
            raise duplicate("Table", name)
        return table

    def _complete(self, known: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
        schema = {"fields": [field.resource() for field in fields]}
        return {**known, **self.resource, "schema": schema}

    def write_result(
        self, cursor: Cursor, catalog: Catalog, fields: tuple[Field, ...], result: str
    ) -> Table:
        """Write what a query gave, the rows of a DuckDB table, and return where to."""
        table = self.open(cursor, catalog, fields)
        cursor.execute(f"INSERT INTO {table.sql_name} BY NAME SELECT * FROM {result}")
        return table


def _has_rows(cursor: Cursor, table: Table) -> bool:
    return cursor.execute(f"SELECT 1 FROM {table.sql_name} LIMIT 1").fetchone() is not None
