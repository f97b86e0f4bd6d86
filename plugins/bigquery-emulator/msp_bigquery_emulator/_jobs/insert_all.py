"""tabledata.insertAll: rows checked one by one, then stored together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from msp_bigquery_emulator._errors import invalid
from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import Catalog, Table
from msp_bigquery_emulator._store.database import Database
from msp_bigquery_emulator._store.insert_ids import InsertIds
from msp_bigquery_emulator._store.values import Leniency, ValueRefusedError, row_decoder

Errors: TypeAlias = list[dict[str, Any]]


@attrs.frozen
class _Row:
    insert_id: str | None
    values: Mapping[str, Any]


@attrs.frozen
class InsertAll:
    """The way of streaming inserts.

    Attributes:
        database: to write to.
        catalog: of tables.
        insert_ids: that came in lately.
    """

    database: Database
    catalog: Catalog
    insert_ids: InsertIds

    def __call__(self, dataset: str, name: str, request: Mapping[str, Any]) -> Errors:
        """Insert the rows of a request; they are on the disk when this returns.

        Returns:
            Google's `insertErrors`: one entry per row that was not inserted.
        """
        with self.database.read() as cursor:
            table = self.catalog.table(cursor, dataset, name)
        rows, errors = _check_rows(table, request)
        if errors and not request.get("skipInvalidRows"):
            refused = {error["index"] for error in errors}
            stopped = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}
            indexes = (index for index in range(len(request["rows"])) if index not in refused)
            return [*errors, *({"index": index, "errors": [stopped]} for index in indexes)]
        self._store(table, rows)
        return errors

    def _store(self, table: Table, rows: Sequence[_Row]) -> None:
        # A table that is deleted and made again is another destination.
        destination = f"{table.dataset}.{table.name}.{table.resource['creationTime']}"
        new: set[str] = set()
        try:
            with self.database.write() as cursor:
                fresh = [row.values for row in rows if self._is_fresh(destination, row, new)]
                _rows.insert(cursor, table, fresh)
                self.insert_ids.remember(cursor, destination, new)
        except BaseException:
            self.insert_ids.forget(destination, new)
            raise

    def _is_fresh(self, destination: str, row: _Row, new: set[str]) -> bool:
        if row.insert_id is None:
            return True
        if row.insert_id in new or self.insert_ids.is_known(destination, row.insert_id):
            return False
        new.add(row.insert_id)
        return True


def _check_rows(table: Table, request: Mapping[str, Any]) -> tuple[list[_Row], Errors]:
    given = request.get("rows")
    if not isinstance(given, list) or not given:
        raise invalid("No rows present in the request.")
    decode = row_decoder(table.fields, Leniency(bool(request.get("ignoreUnknownValues"))))
    rows, errors = [], []
    for index, row in enumerate(given):
        try:
            rows.append(_Row(row.get("insertId"), decode(row.get("json"))))
        except ValueRefusedError as refused:
            error = {"reason": "invalid", "location": refused.location, "debugInfo": ""}
            errors.append({"index": index, "errors": [error | {"message": refused.reason}]})
    return rows, errors
