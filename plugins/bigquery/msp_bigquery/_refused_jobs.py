"""RefusedJobs: says which role is missing when Google refuses a job of its client."""

from __future__ import annotations

import logging
import math
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from msp_bigquery._roles import JOBS

if TYPE_CHECKING:  # imported where the client is made
    from requests import Response

logger = logging.getLogger("msp.bigquery")

_PERMISSION = b"bigquery.jobs.create"  # Google's own text names what is missing
_LINES_APART = 30.0  # seconds


class RefusedJobs:
    """A hook for answers, of a session of requests; may be shared by threads.

    The client itself is handed out as it is, so its error has Google's text alone: that names a
    permission, which nobody can grant, and no role.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told_at = -math.inf

    def __call__(self, answer: Response, **_: Any) -> None:  # noqa: ANN401 - what requests adds
        """Log one warning when the answer refuses a job, and no more than one in 30 s."""
        if answer.status_code != HTTPStatus.FORBIDDEN or _PERMISSION not in answer.content:
            return
        with self._lock:
            now = time.monotonic()
            if now - self._told_at < _LINES_APART:
                return
            self._told_at = now
        logger.warning(
            "BigQuery refuses a job (403): queries and load jobs need %s on the project, "
            "which the service's identity does not have; list_rows of the client needs no job",
            JOBS.name,
        )
