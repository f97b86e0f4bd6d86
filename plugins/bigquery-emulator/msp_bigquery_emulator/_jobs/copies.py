"""Copies: jobs that copy the rows of tables into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from msp_bigquery_emulator._errors import invalid, make_unsupported
from msp_bigquery_emulator._jobs.control import Control
from msp_bigquery_emulator._store.catalog import Catalog, Table
from msp_bigquery_emulator._store.database import Cursor, Database
from msp_bigquery_emulator._store.destination import Destination


@attrs.frozen
class Copies:
    """Runs copy jobs.

    Attributes:
        database: of the tables.
        catalog: of them.
    """

    database: Database
    catalog: Catalog

    def run(self, request: Mapping[str, Any], control: Control) -> Mapping[str, Any]:
        """Copy tables, and return the job's statistics.

        Args:
            request: REST's `configuration.copy`.
            control: stops it.

        Raises:
            BigQueryError: the request cannot be right.
        """
        if request.get("operationType") not in (None, "", "COPY", "OPERATION_TYPE_UNSPECIFIED"):
            raise make_unsupported(f"a copy job that is a {request['operationType']}")
        destination = Destination.of(request)
        references = request.get("sourceTables") or [request.get("sourceTable") or {}]
        if destination is None or not all(map(_is_complete, references)):
            raise invalid("sourceTable and destinationTable are needed")
        with self.database.write() as cursor, control.watch(cursor):
            sources = [self._source(cursor, reference) for reference in references]
            # First aside: a source may be the destination.
            rows = " UNION ALL BY NAME ".join(f"FROM {source.sql_name}" for source in sources)
            row = cursor.execute(f'CREATE TEMP TABLE "msp$copy" AS {rows}').fetchone()
            destination.write_result(cursor, self.catalog, sources[0].fields, '"msp$copy"')
            cursor.execute('DROP TABLE "msp$copy"')
        copied = 0 if row is None else int(row[0])
        return {"copy": {"copiedRows": str(copied), "copiedLogicalBytes": "0"}}

    def _source(self, cursor: Cursor, reference: Mapping[str, Any]) -> Table:
        table = self.catalog.table(cursor, reference["datasetId"], reference["tableId"])
        if table.view is not None:
            raise invalid(f"Cannot copy a view: {table.dataset}.{table.name}")
        return table


def _is_complete(reference: Mapping[str, Any]) -> bool:
    return "datasetId" in reference and "tableId" in reference
