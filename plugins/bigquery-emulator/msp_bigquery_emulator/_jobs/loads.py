"""Loads: load jobs of files that were uploaded, or lie in buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from msp_bigquery_emulator._errors import invalid
from msp_bigquery_emulator._jobs.buckets import Buckets
from msp_bigquery_emulator._jobs.control import Control
from msp_bigquery_emulator._jobs.formats import read_files
from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import Catalog
from msp_bigquery_emulator._store.database import Cursor, Database
from msp_bigquery_emulator._store.destination import Destination
from msp_bigquery_emulator._store.fields import Field, parse_fields
from msp_bigquery_emulator._store.values import Leniency, ValueRefusedError, row_decoder


@attrs.frozen
class Loads:
    """Runs load jobs.

    Attributes:
        database: to load into.
        catalog: of tables.
        buckets: have the files of `sourceUris`.
    """

    database: Database
    catalog: Catalog
    buckets: Buckets

    def run(
        self, request: Mapping[str, Any], files: Sequence[bytes] | None, control: Control
    ) -> Mapping[str, Any]:
        """Load rows, all of them or none, and return the job's statistics.

        Args:
            request: REST's `configuration.load`.
            files: that were uploaded; None for those of `sourceUris`.
            control: stops it.

        Raises:
            BigQueryError: the request cannot be right, or more rows are bad than it allows.
        """
        destination = Destination.of(request, write="WRITE_APPEND")
        if destination is None:
            raise invalid("destinationTable is missing")
        if files is None:
            files = self.buckets.read(request.get("sourceUris") or ())
        with self.database.write() as cursor, control.watch(cursor):
            content = read_files(request, files, self._fields(cursor, request, destination))
            leniency = Leniency(bool(request.get("ignoreUnknownValues")), json_as_is=True)
            rows, bad = _check(content.rows, content.fields, leniency)
            if len(bad) > int(request.get("maxBadRecords") or 0):
                raise invalid(
                    "Error while reading data, error message: table encountered too many "
                    f"errors, giving up. Errors: {len(bad)}; the first: {bad[0]}"
                )
            table = destination.open(cursor, self.catalog, content.fields)
            _rows.insert(cursor, table, rows)
        size = sum(map(len, files))
        statistics = {"inputFiles": str(len(files)), "inputFileBytes": str(size)}
        statistics |= {"outputBytes": str(size), "outputRows": str(len(rows))}
        return {"load": statistics | {"badRecords": str(len(bad))}}

    def _fields(
        self, cursor: Cursor, request: Mapping[str, Any], destination: Destination
    ) -> tuple[Field, ...] | None:
        """Return the fields of the request's schema, else of the table; None to guess them."""
        given = (request.get("schema") or {}).get("fields")
        if given:
            return parse_fields(given)
        table = self.catalog.find_table(cursor, destination.dataset, destination.table)
        anew = destination.write == "WRITE_TRUNCATE" and request.get("autodetect")
        if table is not None and table.fields and not anew:
            return table.fields
        if not request.get("autodetect") and request.get("sourceFormat") != "PARQUET":
            raise invalid("No schema specified on job or table.")
        return None


def _check(
    found: Sequence[tuple[str, Any]], fields: tuple[Field, ...], leniency: Leniency
) -> tuple[list[dict[str, Any]], list[str]]:
    decode = row_decoder(fields, leniency)
    rows, bad = [], []
    for place, row in found:
        try:
            if isinstance(row, ValueError):
                raise row
            rows.append(decode(row))
        except ValueRefusedError as refused:
            bad.append(f"{place}, field {refused.location or '-'}: {refused.reason}")
        except ValueError as error:
            bad.append(f"{place}: {error}")
    return rows, bad
