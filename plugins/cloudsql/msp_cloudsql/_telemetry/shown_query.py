"""ShownQuery: what a span shows of a query, made once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from msp_cloudsql._telemetry.sql_text import operation_of, without_values
from msp_cloudsql._telemetry.tracing import SYSTEM


class Place(NamedTuple):
    """Where a connection leads.

    Attributes:
        database: its name.
        host: name or address of the server.
        port: of the server.
    """

    database: str
    host: str
    port: int

    @property
    def attributes(self) -> dict[str, Any]:
        """Return it as attributes of a span."""
        server = {"server.address": self.host, "server.port": self.port}
        return {**SYSTEM, "db.namespace": self.database, **server}


class ShownQuery(NamedTuple):
    """What is known of a query before it runs.

    Attributes:
        operation: its first word; None when that is no command.
        name: of its span.
        attributes: of its span; not to be changed.
    """

    operation: str | None
    name: str
    attributes: Mapping[str, Any]


@functools.lru_cache(maxsize=256)  # a service has few queries, and runs them often
def show_query(text: str, place: Place) -> ShownQuery:
    """Return what a span shows of a query that is sent there."""
    shown = without_values(text)
    operation = operation_of(shown)
    attributes = place.attributes
    if operation:
        attributes["db.operation.name"] = operation
    attributes["db.query.text"] = shown
    return ShownQuery(operation, f"{operation or 'postgresql'} {place.database}", attributes)
