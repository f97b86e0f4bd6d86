"""REST's jobs: insert, query, get, list, cancel, delete, and the pages of results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from msp_bigquery_emulator._errors import invalid
from msp_bigquery_emulator._jobs.jobs import Job, Jobs, kind_of
from msp_bigquery_emulator._rest.paging import Page
from msp_bigquery_emulator._rest.request import Answer, Request
from msp_bigquery_emulator._sql.cells import encode_rows
from msp_bigquery_emulator._sql.queries import Queries, Result
from msp_bigquery_emulator._store.catalog import LOCATION


@attrs.frozen
class JobsAPI:
    """Answers requests about jobs.

    Attributes:
        project: of the jobs.
        jobs: that ran lately.
        queries: runs statements.
    """

    project: str
    jobs: Jobs
    queries: Queries

    def insert(self, request: Request) -> Answer:
        """Run a query job; it is done, or failed, when this answers."""
        body = request.body
        configuration = body.get("configuration") or {}
        if kind_of(configuration) == "load":
            raise invalid("Load jobs from sourceUris are not supported: upload the rows")
        query = configuration["query"]
        dry = bool(configuration.get("dryRun"))
        job = self.jobs.run(
            body.get("jobReference") or {}, configuration, lambda: self._run(query, dry=dry)
        )
        return Answer(self.resource(job))

    def query(self, request: Request) -> Answer:
        """Run a query and give its first page."""
        body = request.body
        dry = bool(body.get("dryRun"))
        job = self.jobs.run({}, {"query": body}, lambda: self._run(body, dry=dry))
        # The body has the paging that `results` has in the URL.
        asked = {name: str(body[name]) for name in ("maxResults",) if name in body}
        if (body.get("formatOptions") or {}).get("useInt64Timestamp"):
            asked["formatOptions.useInt64Timestamp"] = "true"
        return self._page(job, attrs.evolve(request, query=asked))

    def results(self, request: Request) -> Answer:
        """Give a page of a query's results."""
        return self._page(self.jobs.get(request.path["job"]), request)

    def get(self, request: Request) -> Answer:
        """Describe a job."""
        return Answer(self.resource(self.jobs.get(request.path["job"])))

    def list(self, request: Request) -> Answer:
        """Describe the jobs, the newest first."""
        page, jobs = Page.of(request), self.jobs.all()
        entries = [self.resource(job) | {"state": "DONE"} for job in page.cut(jobs)]
        body = {"kind": "bigquery#jobList", "jobs": entries}
        return Answer(body | page.token("nextPageToken", len(jobs)))

    def cancel(self, request: Request) -> Answer:
        """Leave a job as it is: jobs are done when a client hears of them."""
        job = self.jobs.get(request.path["job"])
        return Answer({"kind": "bigquery#jobCancelResponse", "job": self.resource(job)})

    def delete(self, request: Request) -> Answer:
        """Forget a job."""
        self.jobs.delete(request.path["job"])
        return Answer(None, status=204)

    def resource(self, job: Job) -> dict[str, Any]:
        """Return a job as REST writes it."""
        path = f"projects/{self.project}/jobs/{job.id}"
        return {
            "kind": "bigquery#job",
            "id": f"{self.project}:{LOCATION}.{job.id}",
            "selfLink": f"/bigquery/v2/{path}",
            "jobReference": self._reference(job),
            "configuration": {"jobType": kind_of(job.configuration).upper(), **job.configuration},
            "status": job.status,
            "statistics": job.statistics,
            "user_email": "nobody@localhost",
        }

    def _reference(self, job: Job) -> dict[str, Any]:
        return {"projectId": self.project, "jobId": job.id, "location": LOCATION}

    def _run(self, query: Mapping[str, Any], *, dry: bool) -> tuple[Result, Mapping[str, Any]]:
        result = self.queries.run(query, dry=dry)
        statistics: dict[str, Any] = {"statementType": result.kind, "cacheHit": False}
        statistics |= {"totalBytesProcessed": "0", "totalBytesBilled": "0"} | _count_changed(result)
        if dry:
            fields = [field.resource() for field in result.fields]
            statistics["schema"] = {"fields": fields}
        return result, {"query": statistics}

    def _page(self, job: Job, request: Request) -> Answer:
        if job.error is not None:
            raise job.error
        if job.result is None:
            raise invalid(f"Job {job.id} is not a query job")
        result, page = job.result, Page.of(request)
        body: dict[str, Any] = {
            "kind": "bigquery#queryResponse",
            "jobReference": self._reference(job),
            "jobComplete": True,
            "cacheHit": False,
            "totalBytesProcessed": "0",
            "queryId": job.id,
        } | _count_changed(result)
        if result.kind == "SELECT":
            total = len(result.rows)
            int_timestamps = request.flag("formatOptions.useInt64Timestamp")
            rows = encode_rows(result.fields, page.cut(result.rows), int_timestamps=int_timestamps)
            fields = [field.resource() for field in result.fields]
            body |= {"schema": {"fields": fields}, "totalRows": str(total), "rows": rows}
            body |= page.token("pageToken", total)
        return Answer(body)


def _count_changed(result: Result) -> dict[str, Any]:
    """Return how many rows a statement changed, as results and statistics have it."""
    if result.changed is None:
        return {}
    return {
        "numDmlAffectedRows": str(sum(result.changed.values())),
        "dmlStats": {name: str(count) for name, count in result.changed.items()},
    }
