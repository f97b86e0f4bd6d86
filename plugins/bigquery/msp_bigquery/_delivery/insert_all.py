"""Streaming inserts: rows as JSON over HTTP, `tabledata.insertAll`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from msp_bigquery._google import NO_RETRY
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.json_rows import json_value
from msp_bigquery._rows.row import PreparedRow

if TYPE_CHECKING:  # imported where BigQuery is opened
    from google.cloud import bigquery


@attrs.frozen
class InsertAll:
    """The way into one table that needs nothing but the plugin itself.

    Attributes:
        client: () -> Google's client.
        table: `project.dataset.table`.
        max_rows: of one request; what Google recommends.
        max_bytes: of one request; BigQuery takes 10 MB.
    """

    client: Callable[[], bigquery.Client]
    table: str
    max_rows: int = 500
    max_bytes: int = 5_000_000

    def shipment(self, rows: Sequence[PreparedRow]) -> InsertAllShipment:
        """Return rows ready to be sent."""
        return InsertAllShipment(self, rows)

    def close(self) -> None:
        """Do nothing: the connections are the client's."""


@attrs.frozen
class InsertAllShipment:
    """Rows of one request.

    Attributes:
        way: into the table.
        rows: those with an insert id are not written twice, however often they are sent.
    """

    way: InsertAll
    rows: Sequence[PreparedRow]

    def send(self, timeout: float) -> Sequence[Failure]:
        """Send all rows; BigQuery writes those that it takes."""
        answer = self.way.client().insert_rows_json(
            self.way.table,
            [json_value(row.values) for row in self.rows],
            row_ids=[row.insert_id for row in self.rows],
            skip_invalid_rows=True,
            retry=NO_RETRY,
            timeout=timeout,
        )
        return [_failure(entry) for entry in answer]


def _failure(entry: Mapping[str, Any]) -> Failure:
    errors = entry["errors"]
    return Failure(
        index=entry["index"],
        reasons=tuple(_reason(error) for error in errors),
        details=tuple(str(error.get("message", "")) for error in errors),
    )


def _reason(error: Mapping[str, Any]) -> str:
    reason, location = error.get("reason") or "refused", error.get("location")
    return f"{reason} (column {location!r})" if location else str(reason)
