"""REST's jobs: insert, query, get, list, cancel, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from msp_bigquery_emulator._jobs.control import Control
from msp_bigquery_emulator._jobs.copies import Copies
from msp_bigquery_emulator._jobs.jobs import Job, Jobs, Work, kind_of
from msp_bigquery_emulator._jobs.loads import Loads
from msp_bigquery_emulator._jobs.repeats import Repeats
from msp_bigquery_emulator._rest.paging import Page
from msp_bigquery_emulator._rest.request import Answer, Request
from msp_bigquery_emulator._rest.results_api import ResultsAPI, count_changed, reference
from msp_bigquery_emulator._sql.queries import Queries, Result
from msp_bigquery_emulator._store.catalog import LOCATION

_PATIENCE: Final = 2.0  # seconds after which a job that still runs is answered as running
_TAKEN: Final[tuple[str, ...]] = (
    "maxResults",
    "timeoutMs",
)  # of the body of jobs.query
_FORMATS: Final = ("useInt64Timestamp", "timestampOutputFormat")


@attrs.frozen
class JobsAPI:
    """Answers requests about jobs.

    Attributes:
        project: of the jobs.
        jobs: that ran lately.
        queries: runs statements.
        results: gives their rows.
        loads: runs load jobs.
        copies: runs copy jobs.
        repeats: knows the requests that come again.
    """

    project: str
    jobs: Jobs
    queries: Queries
    results: ResultsAPI
    loads: Loads
    copies: Copies
    repeats: Repeats

    def insert(self, request: Request) -> Answer:
        """Run a job, and answer when it is done, or soon."""
        body = request.body
        configuration = body.get("configuration") or {}
        kind, dry = kind_of(configuration), bool(configuration.get("dryRun"))
        works: dict[str, Work] = {
            "query": self._work(configuration.get("query", {}), dry=dry),
            "load": lambda control: (None, self.loads.run(configuration["load"], None, control)),
            "copy": lambda control: (None, self.copies.run(configuration["copy"], control)),
        }
        return self.run(request, body.get("jobReference") or {}, configuration, works[kind])

    def run(
        self,
        request: Request,
        job_reference: Mapping[str, Any],
        configuration: Mapping[str, Any],
        work: Work,
    ) -> Answer:
        """Run a job and describe it, done or running."""
        job = self.jobs.start(job_reference, configuration, work)
        self.results.wait(job, request, _PATIENCE)
        return Answer(self.resource(job))

    def query(self, request: Request) -> Answer:
        """Run a query and give its first page."""
        body = request.body
        dry = bool(body.get("dryRun"))
        configuration = {"query": body}
        if body.get("jobTimeoutMs"):
            configuration["jobTimeoutMs"] = body["jobTimeoutMs"]
        job = self.repeats.find(
            body, lambda: self.jobs.start({}, configuration, self._work(body, dry=dry))
        )
        # The body has what `results` has in the URL.
        asked: dict[str, str] = {name: str(body[name]) for name in _TAKEN if name in body}
        for name in _FORMATS:
            value = (body.get("formatOptions") or {}).get(name)
            asked |= {f"formatOptions.{name}": str(value)} if value else {}
        return self.results.answer(job, attrs.evolve(request, query=asked))

    def get(self, request: Request) -> Answer:
        """Describe a job."""
        return Answer(self.resource(self.jobs.get(request.path["job"])))

    def list(self, request: Request) -> Answer:
        """Describe the jobs, the newest first."""
        page, jobs = Page.of(request), self.jobs.all()
        entries = []
        for job in page.cut(jobs):
            resource = self.resource(job)
            entries.append(resource | {"state": resource["status"]["state"]})
        body = {"kind": "bigquery#jobList", "jobs": entries}
        return Answer(body | page.token("nextPageToken", len(jobs)))

    def cancel(self, request: Request) -> Answer:
        """Stop a job; one that is done stays as it is."""
        job = self.jobs.cancel(request.path["job"])
        return Answer({"kind": "bigquery#jobCancelResponse", "job": self.resource(job)})

    def delete(self, request: Request) -> Answer:
        """Forget a job."""
        self.jobs.delete(request.path["job"])
        return Answer(None, status=204)

    def resource(self, job: Job) -> dict[str, Any]:
        """Return a job as REST writes it."""
        return {
            "kind": "bigquery#job",
            "id": f"{self.project}:{LOCATION}.{job.id}",
            "selfLink": f"/bigquery/v2/projects/{self.project}/jobs/{job.id}",
            "jobReference": reference(self.project, job),
            "configuration": self._configuration(job),
            "status": job.status,
            "statistics": job.statistics,
            "user_email": "nobody@localhost",
        }

    def _configuration(self, job: Job) -> dict[str, Any]:
        configuration = {"jobType": kind_of(job.configuration).upper(), **job.configuration}
        table = None if job.result is None else job.result.table
        if table is not None:
            destination = {
                "projectId": self.project,
                "datasetId": table.dataset,
                "tableId": table.name,
            }
            configuration["query"] = configuration["query"] | {"destinationTable": destination}
        return configuration

    def _work(self, query: Mapping[str, Any], *, dry: bool) -> Work:
        def work(control: Control) -> tuple[Result, Mapping[str, Any]]:
            result = self.queries.run(query, dry=dry, watch=control.watch)
            statistics: dict[str, Any] = {"statementType": result.kind, "cacheHit": False}
            statistics |= {"totalBytesProcessed": "0", "totalBytesBilled": "0"}
            statistics |= count_changed(result)
            if dry or result.kind.startswith("CREATE"):
                fields = [field.resource() for field in result.fields]
                statistics["schema"] = {"fields": fields}
            return result, {"query": statistics}

        return work
