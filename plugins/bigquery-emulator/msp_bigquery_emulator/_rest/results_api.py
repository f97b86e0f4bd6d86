"""REST's results of queries: waited for, and given page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from msp_bigquery_emulator._errors import invalid, not_found
from msp_bigquery_emulator._jobs.jobs import Job, Jobs
from msp_bigquery_emulator._rest.paging import Page
from msp_bigquery_emulator._rest.request import Answer, Request
from msp_bigquery_emulator._sql.cells import encode_rows
from msp_bigquery_emulator._sql.queries import Result
from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import LOCATION, Catalog
from msp_bigquery_emulator._store.database import ANONYMOUS, Database

_TIMEOUT: Final = 10_000  # milliseconds, when a request does not say


@attrs.frozen
class ResultsAPI:
    """Answers requests for the rows of a query.

    Attributes:
        database: that has them.
        catalog: of the tables that have them.
        jobs: that give them.
    """

    database: Database
    catalog: Catalog
    jobs: Jobs

    def get(self, request: Request) -> Answer:
        """Give a page of a query's results."""
        return self.answer(self.jobs.get(request.path["job"]), request, "getQueryResultsResponse")

    def answer(self, job: Job, request: Request, kind: str = "queryResponse") -> Answer:
        """Give a page of a job's results, or say that it still runs.

        Args:
            job: of the rows.
            request: says how long to wait, and which page.
            kind: of the answer, as REST calls it.
        """
        self.wait(job, request, request.number("timeoutMs", _TIMEOUT) / 1000)
        body: dict[str, Any] = {
            "kind": f"bigquery#{kind}",
            "jobReference": reference(self.catalog.project, job),
            "jobComplete": job.done.is_set(),
        }
        if not job.done.is_set():
            return Answer(body)
        if job.error is not None:
            raise job.error
        if job.result is None:
            raise invalid(f"Job {job.id} is not a query job")
        body |= {"cacheHit": False, "totalBytesProcessed": "0", "queryId": job.id}
        body |= count_changed(job.result)
        if job.result.fields:
            body["schema"] = {"fields": [field.resource() for field in job.result.fields]}
        if job.result.kind == "SELECT":
            body |= self._rows(job.result, request)
        return Answer(body)

    def wait(self, job: Job, request: Request, seconds: float) -> None:
        """Wait for a job, as long as its client does."""
        try:
            self.jobs.wait(job, seconds, request.gone)
        except ConnectionResetError:
            self.jobs.abandon(job)
            raise

    def _rows(self, result: Result, request: Request) -> Mapping[str, Any]:
        page, table = Page.of(request), result.table
        rows: list[tuple[Any, ...]] = []
        if table is not None and page.size:
            with self.database.read() as cursor:
                if self.catalog.find_table(cursor, table.dataset, table.name) is None:
                    raise not_found("Table", f"{self.catalog.project}:{table.dataset}.{table.name}")
                whole = table.dataset == ANONYMOUS
                rows = _rows.page(
                    cursor, table, result.fields, start=page.start, size=page.size, whole=whole
                )
        timestamps = request.query.get("formatOptions.timestampOutputFormat", "")
        int_timestamps = request.flag("formatOptions.useInt64Timestamp")
        cells = encode_rows(
            result.fields, rows, int_timestamps=int_timestamps, timestamps=timestamps
        )
        return {"totalRows": str(result.total), "rows": cells} | page.token(
            "pageToken", result.total
        )


def reference(project: str, job: Job) -> dict[str, Any]:
    """Return how REST names a job."""
    return {"projectId": project, "jobId": job.id, "location": LOCATION}


def count_changed(result: Result) -> dict[str, Any]:
    """Return how many rows a statement changed, as results and statistics have it."""
    if result.changed is None:
        return {}
    return {
        "numDmlAffectedRows": str(sum(result.changed.values())),
        "dmlStats": {name: str(count) for name, count in result.changed.items()},
    }
