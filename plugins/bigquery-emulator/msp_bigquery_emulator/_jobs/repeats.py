"""Repeats: a query that a client sends again with the same request id is run once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from msp_bigquery_emulator._jobs.jobs import Job

_REMEMBERED: Final = 15 * 60.0  # seconds, as BigQuery has it
_IRRELEVANT: Final = ("timeoutMs", "maxResults", "formatOptions")


class Repeats:
    """The jobs of the last quarter of an hour, by the id of the request that started them."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[float, Job]] = {}
        self._lock = threading.Lock()

    def find(self, request: Mapping[str, Any], start: Callable[[], Job]) -> Job:
        """Return the job of an equal request that came before; else start one.

        A job that was stopped, because its client left, changed nothing: it is started again.

        Args:
            request: REST's body of jobs.query.
            start: begins a job.
        """
        if not request.get("requestId") or request.get("dryRun"):
            return start()
        relevant = {name: value for name, value in request.items() if name not in _IRRELEVANT}
        key = json.dumps(relevant, sort_keys=True)
        with self._lock:
            self._forget_old()
            known = self._jobs.get(key)
            if known is not None and not known[1].control.stopped and known[1].fault is None:
                return known[1]
            job = start()
            self._jobs[key] = (time.monotonic(), job)
            return job

    def _forget_old(self) -> None:
        oldest = time.monotonic() - _REMEMBERED
        for key, (came, _) in list(self._jobs.items()):
            if came >= oldest:
                return
            del self._jobs[key]
