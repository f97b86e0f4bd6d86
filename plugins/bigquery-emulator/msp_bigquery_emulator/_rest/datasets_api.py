"""REST's datasets: insert, get, list, patch, update, delete."""

from __future__ import annotations

import json
from typing import Any

import attrs

from msp_bigquery_emulator._errors import BigQueryError, invalid
from msp_bigquery_emulator._rest.paging import Page
from msp_bigquery_emulator._rest.request import Answer, Request
from msp_bigquery_emulator._store.catalog import Catalog, etag
from msp_bigquery_emulator._store.database import Database

SERVERS_OWN = ("kind", "etag", "id", "selfLink")


@attrs.frozen
class DatasetsAPI:
    """Answers requests about datasets.

    Attributes:
        database: where they are kept.
        catalog: of them.
    """

    database: Database
    catalog: Catalog

    def insert(self, request: Request) -> Answer:
        """Create a dataset."""
        resource = request.body
        dataset = (resource.get("datasetReference") or {}).get("datasetId")
        if not isinstance(dataset, str):
            raise invalid("datasetReference.datasetId is missing")
        with self.database.write() as cursor:
            text = self.catalog.create_dataset(cursor, dataset, drop_servers_own(resource))
        return Answer(self._resource(dataset, text))

    def get(self, request: Request) -> Answer:
        """Describe a dataset."""
        dataset = request.path["dataset"]
        with self.database.read() as cursor:
            return Answer(self._resource(dataset, self.catalog.dataset(cursor, dataset)))

    def list(self, request: Request) -> Answer:
        """Name the datasets."""
        page = Page.of(request)
        with self.database.read() as cursor:
            found = self.catalog.datasets(cursor)
        kept = ("id", "datasetReference", "friendlyName", "labels", "location")
        full = [self._resource(*one) for one in page.cut(found)]
        entries = [
            {"kind": "bigquery#dataset"} | {name: one[name] for name in kept if name in one}
            for one in full
        ]
        body = {"kind": "bigquery#datasetList", "datasets": entries}
        return Answer(body | page.token("nextPageToken", len(found)))

    def change(self, request: Request) -> Answer:
        """Change what is given and keep the rest."""
        dataset = request.path["dataset"]
        with self.database.write() as cursor:
            text = self.catalog.dataset(cursor, dataset)
            require_version(request, text)
            changed = merge(json.loads(text), drop_servers_own(request.body))
            text = self.catalog.put_dataset(cursor, dataset, changed)
        return Answer(self._resource(dataset, text))

    def delete(self, request: Request) -> Answer:
        """Delete a dataset."""
        with self.database.write() as cursor:
            contents = request.flag("deleteContents")
            self.catalog.delete_dataset(cursor, request.path["dataset"], contents=contents)
        return Answer(None, status=204)

    def _resource(self, dataset: str, text: str) -> dict[str, Any]:
        project = self.catalog.project
        resource: dict[str, Any] = json.loads(text)
        return resource | {
            "kind": "bigquery#dataset",
            "etag": etag(text),
            "id": f"{project}:{dataset}",
            "selfLink": f"/bigquery/v2/projects/{project}/datasets/{dataset}",
            "datasetReference": {"projectId": project, "datasetId": dataset},
        }


def drop_servers_own(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without what only the server says."""
    return {name: value for name, value in resource.items() if name not in SERVERS_OWN}


def merge(resource: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return a resource with a change applied; null removes."""
    both = resource | change
    labels = {**(resource.get("labels") or {}), **(change.get("labels") or {})}
    if labels:
        both["labels"] = {name: value for name, value in labels.items() if value is not None}
    return {name: value for name, value in both.items() if value is not None}


def require_version(request: Request, text: str) -> None:
    """Refuse a change of a version that is no longer the newest.

    Raises:
        BigQueryError: the request's `If-Match` names another version.
    """
    wanted = request.headers.get("if-match", "*")
    if wanted not in ("*", etag(text)):
        raise BigQueryError(412, "conditionNotMet", "Precondition Failed: it was changed meanwhile")
