"""Loads: load jobs of rows that were uploaded as newline-delimited JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from msp_bigquery_emulator._errors import invalid, make_unsupported
from msp_bigquery_emulator._jobs.control import Control
from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import Catalog
from msp_bigquery_emulator._store.database import Cursor, Database
from msp_bigquery_emulator._store.destination import Destination
from msp_bigquery_emulator._store.fields import Field, parse_fields
from msp_bigquery_emulator._store.values import Leniency, ValueRefusedError, row_decoder

_FORMAT: Final = "NEWLINE_DELIMITED_JSON"


@attrs.frozen
class Loads:
    """Runs load jobs.

    Attributes:
        database: to load into.
        catalog: of tables.
    """

    database: Database
    catalog: Catalog

    def run(
        self, request: Mapping[str, Any], content: bytes, control: Control
    ) -> Mapping[str, Any]:
        """Load rows, all of them or none, and return the job's statistics.

        Args:
            request: REST's `configuration.load`.
            content: that was uploaded.
            control: stops it.

        Raises:
            BigQueryError: the request cannot be right, or more rows are bad than it allows.
        """
        if request.get("sourceFormat") != _FORMAT:
            raise make_unsupported(f"a load job of another format than {_FORMAT}")
        destination = Destination.of(request, write="WRITE_APPEND")
        if destination is None:
            raise invalid("destinationTable is missing")
        with self.database.write() as cursor, control.watch(cursor):
            fields = self._fields(cursor, request, destination)
            leniency = Leniency(bool(request.get("ignoreUnknownValues")), json_as_is=True)
            rows, bad = _parse_lines(content, fields, leniency)
            if len(bad) > int(request.get("maxBadRecords") or 0):
                raise invalid(
                    "Error while reading data, error message: JSON table encountered too many "
                    f"errors, giving up. Errors: {len(bad)}; the first: {bad[0]}"
                )
            table = destination.open(cursor, self.catalog, fields)
            _rows.insert(cursor, table, rows)
        statistics = {"inputFiles": "1", "inputFileBytes": str(len(content)), "outputBytes": "0"}
        return {"load": statistics | {"outputRows": str(len(rows)), "badRecords": str(len(bad))}}

    def _fields(
        self, cursor: Cursor, request: Mapping[str, Any], destination: Destination
    ) -> tuple[Field, ...]:
        """Return the fields of the request's schema, else of the table."""
        given = (request.get("schema") or {}).get("fields")
        if given:
            return parse_fields(given)
        table = self.catalog.find_table(cursor, destination.dataset, destination.table)
        if table is None:
            raise invalid("No schema specified on job or table: autodetection is not supported")
        return table.fields


def _parse_lines(
    content: bytes, fields: tuple[Field, ...], leniency: Leniency
) -> tuple[list[dict[str, Any]], list[str]]:
    decode = row_decoder(fields, leniency)
    rows, bad = [], []
    for number, row in _lines(content):
        try:
            rows.append(decode(json.loads(row)))
        except ValueRefusedError as refused:
            bad.append(f"line {number}, field {refused.location or '-'}: {refused.reason}")
        except (ValueError, RecursionError):
            bad.append(f"line {number}: it is not JSON")
    return rows, bad


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield number, line
