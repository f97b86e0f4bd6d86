"""REST's tables and tabledata: insert, get, list, patch, update, delete, insertAll, list rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from msp_bigquery_emulator._errors import invalid, make_unsupported
from msp_bigquery_emulator._jobs.insert_all import InsertAll
from msp_bigquery_emulator._rest.datasets_api import drop_servers_own, merge, require_version
from msp_bigquery_emulator._rest.paging import Page
from msp_bigquery_emulator._rest.request import Answer, Request
from msp_bigquery_emulator._sql.cells import encode_rows
from msp_bigquery_emulator._sql.queries import Queries
from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import LOCATION, Catalog, Table, etag
from msp_bigquery_emulator._store.database import Cursor, Database
from msp_bigquery_emulator._store.fields import Field

_COMPUTED = ("numRows", "numBytes", "type", "location")


@attrs.frozen
class TablesAPI:
    """Answers requests about tables and their rows.

    Attributes:
        database: where they are kept.
        catalog: of them.
        insert_all: streaming inserts.
        queries: give a view's columns.
    """

    database: Database
    catalog: Catalog
    insert_all: InsertAll
    queries: Queries

    def insert(self, request: Request) -> Answer:
        """Create a table or view."""
        resource = _drop_computed(request.body)
        name = (resource.get("tableReference") or {}).get("tableId")
        if not isinstance(name, str):
            raise invalid("tableReference.tableId is missing")
        if resource.get("materializedView") or resource.get("externalDataConfiguration"):
            raise make_unsupported("a materialized view or external table")
        if resource.get("view"):
            resource["schema"] = self._view_schema(resource["view"])
        with self.database.write() as cursor:
            table = self.catalog.create_table(cursor, request.path["dataset"], name, resource)
            return Answer(self._resource(cursor, table))

    def get(self, request: Request) -> Answer:
        """Describe a table."""
        with self.database.read() as cursor:
            return Answer(self._resource(cursor, self._table(cursor, request)))

    def list(self, request: Request) -> Answer:
        """Name the tables of a dataset."""
        page = Page.of(request)
        with self.database.read() as cursor:
            found = self.catalog.tables(cursor, request.path["dataset"])
        entries = [self._entry(table) for table in page.cut(found)]
        body = {"kind": "bigquery#tableList", "tables": entries, "totalItems": len(found)}
        return Answer(body | page.token("nextPageToken", len(found)))

    def change(self, request: Request) -> Answer:
        """Change what is given and keep the rest."""
        change = _drop_computed(request.body)
        if change.get("view"):
            change["schema"] = self._view_schema(change["view"])
        with self.database.write() as cursor:
            table = self._table(cursor, request)
            require_version(request, table.text)
            table = self.catalog.put_table(cursor, table, merge(table.resource, change))
            return Answer(self._resource(cursor, table))

    def delete(self, request: Request) -> Answer:
        """Delete a table or view."""
        with self.database.write() as cursor:
            self.catalog.delete_table(cursor, self._table(cursor, request))
        return Answer(None, status=204)

    def insert_rows(self, request: Request) -> Answer:
        """Insert rows, each refused or stored."""
        body: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
        errors = self.insert_all(request.path["dataset"], request.path["table"], request.body)
        return Answer(body | ({"insertErrors": errors} if errors else {}))

    def list_rows(self, request: Request) -> Answer:
        """Give rows, page by page."""
        page = Page.of(request)
        with self.database.read() as cursor:
            table = self._table(cursor, request)
            if table.view is not None:
                raise invalid(f"Cannot list a table of type VIEW: {table.dataset}.{table.name}")
            fields = _select(table.fields, request.query.get("selectedFields", ""))
            total = _rows.count(cursor, table)
            rows: Sequence[tuple[Any, ...]] = ()
            if fields and page.size:
                rows = _rows.page(cursor, table, fields, start=page.start, size=page.size)
        int_timestamps = request.flag("formatOptions.useInt64Timestamp")
        timestamps = request.query.get("formatOptions.timestampOutputFormat", "")
        body = {
            "kind": "bigquery#tableDataList",
            "etag": etag(table.text),
            "totalRows": str(total),
            "rows": encode_rows(fields, rows, int_timestamps=int_timestamps, timestamps=timestamps),
        }
        return Answer(body | page.token("pageToken", total))

    def _table(self, cursor: Cursor, request: Request) -> Table:
        return self.catalog.table(cursor, request.path["dataset"], request.path["table"])

    def _view_schema(self, view: dict[str, Any]) -> dict[str, Any]:
        result = self.queries.run({"query": view.get("query")}, dry=True)
        return {"fields": [field.resource() for field in result.fields]}

    def _entry(self, table: Table) -> dict[str, Any]:
        project, resource = self.catalog.project, table.resource
        kept = ("labels", "friendlyName", "timePartitioning", "clustering", "creationTime")
        reference = {"projectId": project, "datasetId": table.dataset, "tableId": table.name}
        return {name: resource[name] for name in kept if name in resource} | {
            "kind": "bigquery#table",
            "id": f"{project}:{table.dataset}.{table.name}",
            "tableReference": reference,
            "type": "TABLE" if table.view is None else "VIEW",
        }

    def _resource(self, cursor: Cursor, table: Table) -> dict[str, Any]:
        path = f"projects/{self.catalog.project}/datasets/{table.dataset}/tables/{table.name}"
        return {
            **table.resource,
            **self._entry(table),
            "etag": etag(table.text),
            "selfLink": f"/bigquery/v2/{path}",
            "location": LOCATION,
            "numRows": str(_rows.count(cursor, table)),
            "numBytes": "0",
        }


def _drop_computed(resource: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in drop_servers_own(resource).items() if name not in _COMPUTED
    }


def _select(fields: tuple[Field, ...], names: str) -> tuple[Field, ...]:
    """Return the fields that a list of names selects, in the table's order; all for none."""
    if not names:
        return fields
    wanted = {name.strip().lower() for name in names.split(",")}
    missing = wanted - {field.name.lower() for field in fields}
    if missing:
        raise invalid(f"Selected field {min(missing)} does not exist", "selectedFields")
    return tuple(field for field in fields if field.name.lower() in wanted)
