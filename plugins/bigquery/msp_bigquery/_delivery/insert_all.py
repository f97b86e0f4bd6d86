"""Streaming inserts: rows as JSON over HTTP, `tabledata.insertAll`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from msp_bigquery._google import NO_RETRY
from msp_bigquery._refused_row import Failure
from msp_bigquery._rows.json_row import JSONRow

if TYPE_CHECKING:  # imported where BigQuery is opened
    from google.cloud import bigquery

_BODY = b'{"rows":[%b],"skipInvalidRows":true}'


@attrs.frozen
class InsertAll:
    """The way into one table that needs nothing but the plugin itself.

    Attributes:
        client: () -> Google's client.
        path: of the table, `projects/…/datasets/…/tables/…`.
        max_rows: of one request; what Google recommends.
        max_bytes: of one request; BigQuery takes 10 MB.
    """

    client: Callable[[], bigquery.Client]
    path: str
    max_rows: int = 500
    max_bytes: int = 5_000_000

    def form(self, row: Any, insert_id: str | None) -> JSONRow:  # noqa: ANN401 - whatever is given
        """Return a row as it is now, ready to be sent."""
        return JSONRow.of(row, insert_id)

    def shipment(self, rows: Sequence[JSONRow]) -> InsertAllShipment:
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
    rows: Sequence[JSONRow]

    def send(self, timeout: float) -> Sequence[Failure]:
        """Send all rows; BigQuery writes those that it takes."""
        # `insert_rows_json` itself takes no JSON that is ready, and would parse and write it again.
        client: Any = self.way.client()
        path = f"/{self.way.path}/insertAll"
        answer = client._call_api(  # noqa: SLF001 - as above; what it is made of
            NO_RETRY,
            span_name="BigQuery.insertRowsJson",
            span_attributes={"path": path},
            method="POST",
            path=path,
            data=_BODY % b",".join([row.text for row in self.rows]),
            content_type="application/json",
            timeout=timeout,
        )
        return [_failure(entry) for entry in answer.get("insertErrors", ())]


def _failure(entry: Mapping[str, Any]) -> Failure:
    errors = entry["errors"]
    return Failure(
        index=int(entry["index"]),
        reasons=tuple(_reason(error) for error in errors),
        details=tuple(str(error.get("message", "")) for error in errors),
    )


def _reason(error: Mapping[str, Any]) -> str:
    reason, location = error.get("reason") or "refused", error.get("location")
    return f"{reason} (column {location!r})" if location else str(reason)
