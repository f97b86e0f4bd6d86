"""Jobs: run when they come, remembered for a while, so that clients can ask for the outcome."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from msp_bigquery_emulator._errors import BigQueryError, duplicate, make_unsupported, not_found
from msp_bigquery_emulator._sql.queries import Result
from msp_bigquery_emulator._store.catalog import LOCATION, now

_MOST_ROWS: Final = 1_000_000  # of remembered results, together
_MOST_JOBS: Final = 1_000


@attrs.frozen
class Job:
    """A job that is done.

    Attributes:
        id: unique in the project.
        configuration: as the client gave it.
        result: of a query; None for another kind, or one that failed.
        error: why it failed; None when it did not.
        statistics: as REST writes them.
    """

    id: str
    configuration: Mapping[str, Any]
    result: Result | None
    error: BigQueryError | None
    statistics: Mapping[str, Any]

    @property
    def status(self) -> dict[str, Any]:
        """REST's status: always done, perhaps with an error."""
        if self.error is None:
            return {"state": "DONE"}
        return {"state": "DONE", "errorResult": self.error.proto, "errors": [self.error.proto]}


class Jobs:
    """The jobs of the last time; they do not outlive the process."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._jobs: dict[str, Job] = {}
        self._names: set[str] = set()
        self._lock = threading.Lock()

    def run(
        self,
        reference: Mapping[str, Any],
        configuration: Mapping[str, Any],
        work: Callable[[], tuple[Result | None, Mapping[str, Any]]],
    ) -> Job:
        """Run a job and remember it, failed or not.

        Args:
            reference: REST's `jobReference`; may lack the id.
            configuration: to remember.
            work: gives the result, if any, and the statistics of its kind.

        Raises:
            BigQueryError: there is a job with this id.
        """
        name = reference.get("jobId") or f"job_{uuid.uuid4().hex}"
        self._claim(name)
        statistics: dict[str, Any] = {"creationTime": now(), "startTime": now()}
        result, error = None, None
        try:
            result, of_kind = work()
            statistics |= of_kind
        except BigQueryError as refused:
            error = refused
        except BaseException:
            self._names.discard(name)
            raise
        statistics |= {"endTime": now(), "totalBytesProcessed": "0"}
        job = Job(name, configuration, result, error, statistics)
        self._remember(job)
        return job

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            BigQueryError: it is unknown or forgotten.
        """
        with self._lock:
            job = self._jobs.get(name)
        if job is None:
            raise not_found("Job", f"{self._project}:{LOCATION}.{name}")
        return job

    def delete(self, name: str) -> None:
        """Forget a job.

        Raises:
            BigQueryError: it is unknown or forgotten.
        """
        self.get(name)
        with self._lock:
            self._forget(name)

    def all(self) -> list[Job]:
        """Return the jobs, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def _claim(self, name: str) -> None:
        with self._lock:
            if name in self._names:
                raise duplicate("Job", f"{self._project}:{LOCATION}.{name}")
            self._names.add(name)

    def _remember(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            rows = sum(_rows_of(one) for one in self._jobs.values())
            while len(self._jobs) > _MOST_JOBS or (rows > _MOST_ROWS and len(self._jobs) > 1):
                oldest = next(iter(self._jobs.values()))
                rows -= _rows_of(oldest)
                self._forget(oldest.id)

    def _forget(self, name: str) -> None:
        self._jobs.pop(name, None)
        self._names.discard(name)


def _rows_of(job: Job) -> int:
    return 0 if job.result is None else len(job.result.rows)


def kind_of(configuration: Mapping[str, Any]) -> str:
    """Return `query` or `load`.

    Raises:
        BigQueryError: it is another kind, which this emulator does not run.
    """
    for kind in ("query", "load"):
        if kind in configuration:
            return kind
    raise make_unsupported("a job that is no query and no load job")
