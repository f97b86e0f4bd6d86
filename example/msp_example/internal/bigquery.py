"""BigQueryEvents: what happened, as rows of a table in BigQuery."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
from opentelemetry import trace

from msp_bigquery import BigQuery, BufferedWriter, TableWriter
from msp_core import Contract

_TABLE = "events"  # its schema is bigquery/events.json
_TIMEOUT = 5.0  # seconds for a row that somebody waits for


@attrs.frozen(kw_only=True)
class Event:
    """One row.

    Attributes:
        at: when it happened.
        name: what happened, such as `page.visited`.
        page: the path that was visited; None for what is no visit.
        trace_id: 32 hex digits of the trace it belongs to; None outside of one.
        version: of the service.
        environment_id: where it runs.
        instance_id: of the process, as in its log lines.
    """

    at: datetime
    name: str
    page: str | None
    trace_id: str | None
    version: str
    environment_id: str
    instance_id: str


@attrs.frozen
class BigQueryEvents:
    """Writes events to the table `events` of the configured dataset.

    Attributes:
        contract: says where events come from.
        writer: for events that must be durable before anything goes on.
        buffer: for those of requests, which never wait for BigQuery.
    """

    contract: Contract
    writer: TableWriter
    buffer: BufferedWriter

    @classmethod
    def of(cls, contract: Contract) -> BigQueryEvents | None:
        """Return the events of a service; None where BigQuery is not configured."""
        if not contract.configured(BigQuery):
            return None
        writer = contract[BigQuery].table_writer(_TABLE, insert_ids=True, timeout=_TIMEOUT)
        return cls(contract, writer, writer.buffered(on_full="refuse"))

    async def write(self, name: str) -> None:
        """Write an event; returns when it is durable."""
        await self.writer.write(self._event(name))

    async def visited(self, page: str) -> None:
        """Note that a page was visited; written soon, and before the service has stopped."""
        await self.buffer.write(self._event("page.visited", page))

    def _event(self, name: str, page: str | None = None) -> Event:
        span = trace.get_current_span().get_span_context()
        return Event(
            at=datetime.now(UTC),
            name=name,
            page=page,
            trace_id=trace.format_trace_id(span.trace_id) if span.is_valid else None,
            version=self.contract.version,
            environment_id=self.contract.environment_id,
            instance_id=self.contract.instance_id,
        )
