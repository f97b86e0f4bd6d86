"""Jobs: each runs in a thread of its own and is remembered, so that clients can ask for it."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs
import duckdb

from msp_bigquery_emulator._errors import BigQueryError, duplicate, make_unsupported, not_found
from msp_bigquery_emulator._jobs.control import Control, cancellation
from msp_bigquery_emulator._sql.queries import Result
from msp_bigquery_emulator._store.catalog import LOCATION, now
from msp_bigquery_emulator._store.database import ANONYMOUS
from msp_bigquery_emulator._store.results import Results

_MOST_ROWS: Final = 10_000_000  # of remembered results, together
_MOST_JOBS: Final = 1_000
_LOOK: Final = 0.1  # seconds between two looks whether a client is still there
_GRACE: Final = 1.0  # seconds that running jobs have to end when the emulator stops

Work: TypeAlias = Callable[[Control], tuple[Result | None, Mapping[str, Any]]]


@attrs.define(eq=False)
class Job:
    """A job; what became of it is set before `done` is.

    Attributes:
        id: unique in the project.
        configuration: as the client gave it.
        control: stops it.
        deadline: when it is stopped, in seconds of `time.monotonic`.
        statistics: as REST writes them; complete when it is done.
        done: set at its end.
        result: of a query; None for another kind, or one that failed.
        error: why it failed; None when it did not.
        fault: what broke that should not; None when nothing did.
        waiting: clients that wait for it.
    """

    id: str
    configuration: Mapping[str, Any]
    deadline: float
    control: Control = attrs.field(factory=Control)
    statistics: dict[str, Any] = attrs.field(factory=dict)
    done: threading.Event = attrs.field(factory=threading.Event)
    result: Result | None = None
    error: BigQueryError | None = None
    fault: BaseException | None = None
    waiting: int = 0

    @property
    def status(self) -> dict[str, Any]:
        """REST's status: running or done, perhaps with an error."""
        if not self.done.is_set():
            return {"state": "RUNNING"}
        if self.error is None:
            return {"state": "DONE"}
        return {"state": "DONE", "errorResult": self.error.proto, "errors": [self.error.proto]}


class Jobs:
    """The jobs of the last time; they do not outlive the process."""

    def __init__(self, project: str, results: Results, timeout: float) -> None:
        """Begin with none.

        Args:
            project: of the jobs.
            results: keeps the rows of queries as long as their jobs.
            timeout: seconds after which a job is stopped, unless it says less itself.
        """
        self._project = project
        self._results = results
        self._timeout = timeout
        self._jobs: dict[str, Job] = {}
        self._running: set[Job] = set()
        self._changed = threading.Condition()
        self._rows = 0  # of all results
        self._looks_at = math.inf  # when the next job's time is over
        self._stopped = False
        self._watcher = threading.Thread(target=self._watch_deadlines)
        self._watcher.start()

    def start(
        self,
        reference: Mapping[str, Any],
        configuration: Mapping[str, Any],
        work: Work,
    ) -> Job:
        """Begin a job, and return it running.

        Args:
            reference: REST's `jobReference`; may lack the id.
            configuration: to remember; its `jobTimeoutMs` is the job's own limit.
            work: gives the result, if any, and the statistics of its kind.

        Raises:
            BigQueryError: there is a job with this id.
            ConnectionError: the emulator is stopping.
        """
        name = reference.get("jobId") or f"job_{uuid.uuid4().hex}"
        own = float(configuration.get("jobTimeoutMs") or 0) / 1000
        deadline = time.monotonic() + min(self._timeout, own or self._timeout)
        job = Job(name, configuration, deadline, statistics=_begun())
        with self._changed:
            if self._stopped:
                raise ConnectionAbortedError
            if name in self._jobs:
                raise duplicate("Job", f"{self._project}:{LOCATION}.{name}")
            self._jobs[name] = job
            self._running.add(job)
            if deadline < self._looks_at:
                self._changed.notify_all()
        threading.Thread(target=self._run, args=(job, work)).start()
        return job

    def wait(self, job: Job, seconds: float, gone: Callable[[], bool]) -> None:
        """Wait for the end of a job, at most some seconds.

        A job that its last waiting client has left is stopped: nobody would hear of it.

        Args:
            job: to wait for.
            seconds: at most.
            gone: says whether the client has closed its connection.

        Raises:
            ConnectionError: the client is gone.
            BaseException: the job broke, by a fault of the emulator.
        """
        until = time.monotonic() + seconds
        with self._changed:
            job.waiting += 1
        try:
            while not job.done.wait(max(0.0, min(_LOOK, until - time.monotonic()))):
                if gone():
                    raise ConnectionResetError
                if time.monotonic() >= until:
                    return
        finally:
            with self._changed:
                job.waiting -= 1
        if job.fault is not None:
            raise job.fault

    def abandon(self, job: Job) -> None:
        """Stop a job whose client has left, unless another waits for it."""
        if not job.waiting:
            job.control.stop(cancellation("its client closed the connection"))

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            BigQueryError: it is unknown or forgotten.
        """
        with self._changed:
            job = self._jobs.get(name)
        if job is None:
            raise not_found("Job", f"{self._project}:{LOCATION}.{name}")
        return job

    def cancel(self, name: str) -> Job:
        """Stop a job, unless it is done, and return it."""
        job = self.get(name)
        if not job.done.is_set():
            job.control.stop(cancellation("User requested cancellation"))
        return job

    def delete(self, name: str) -> None:
        """Forget a job.

        Raises:
            BigQueryError: it is unknown, forgotten, or still running.
        """
        job = self.get(name)
        with self._changed:
            if job in self._running:
                raise BigQueryError(400, "resourceInUse", f"Job {name} is still running")
            self._forget(job)

    def all(self) -> list[Job]:
        """Return the jobs, the newest first."""
        with self._changed:
            return list(reversed(self._jobs.values()))

    def stop(self) -> None:
        """Take no more jobs, let those that run end soon, and stop those that do not."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running, _GRACE)
            for job in self._running:
                job.control.stop(ConnectionAbortedError())
            self._changed.wait_for(lambda: not self._running)
        self._watcher.join()

    def _run(self, job: Job, work: Work) -> None:
        try:
            job.result, of_kind = work(job.control)
            job.statistics |= of_kind
        except BigQueryError as refused:
            job.error = refused
        except duckdb.Error as error:
            job.error = BigQueryError(400, "invalidQuery", str(error).strip().partition("\n")[0])
        except BaseException as fault:  # noqa: BLE001 - told to who waits; the id is free again
            job.fault = fault
        job.statistics |= {"endTime": now(), "totalBytesProcessed": "0"}
        with self._changed:
            self._running.discard(job)
            if job.fault is not None:
                self._jobs.pop(job.id, None)
            self._rows += _rows_of(job)
            self._forget_old()
            if self._stopped:
                self._changed.notify_all()
        job.done.set()

    def _forget_old(self) -> None:
        while len(self._jobs) > _MOST_JOBS or self._rows > _MOST_ROWS:
            done = (job for job in self._jobs.values() if job not in self._running)
            oldest = next(done, None)
            if oldest is None or next(done, None) is None:
                return
            self._forget(oldest)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self._rows -= _rows_of(job)
        if job.result is not None and job.result.table and job.result.table.dataset == ANONYMOUS:
            self._results.drop(job.result.table.name)

    def _watch_deadlines(self) -> None:
        with self._changed:
            while not self._stopped:
                for job in self._running:
                    if job.deadline <= time.monotonic():
                        job.control.stop(cancellation("Job timed out"))
                        job.deadline = math.inf
                self._looks_at = min((job.deadline for job in self._running), default=math.inf)
                left = self._looks_at - time.monotonic()
                self._changed.wait(None if math.isinf(left) else left)


def _begun() -> dict[str, Any]:
    at = now()
    return {"creationTime": at, "startTime": at}


def _rows_of(job: Job) -> int:
    return 0 if job.result is None else job.result.total


def kind_of(configuration: Mapping[str, Any]) -> str:
    """Return `query`, `load` or `copy`.

    Raises:
        BigQueryError: it is another kind, which this emulator does not run.
    """
    for kind in ("query", "load", "copy"):
        if kind in configuration:
            return kind
    raise make_unsupported("a job that is no query, load or copy job")
