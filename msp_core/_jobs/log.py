"""Outcome: the log lines that say that an execution starts and how it came out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from msp_core._life.exit_code import exit_code
from msp_core._text.durations import format_seconds, seconds_since
from msp_core._text.failure import ExcInfo, describe, exception_of
from msp_core._text.for_people import CONSOLE, ForPeople
from msp_core.errors import (
    JobCancelledError,
    JobDeadlineError,
    LockHeldError,
    PermanentError,
    StopTimeoutError,
)
from msp_core.execution import Execution

logger = logging.getLogger("msp.job")


class Outcome:
    """Logs the start and the end of one execution.

    Args:
        execution: named by every line.
        reported: whether Sentry learns of it, where it has a schedule and a deadline.
    """

    def __init__(self, execution: Execution, *, reported: bool) -> None:
        self._began = time.monotonic()
        self._time_limit = execution.time_limit
        self._fields: dict[str, Any] = {
            "execution_id": execution.id,
            "task_index": execution.task_index,
            "task_count": execution.task_count,
            "attempt": execution.attempt,
            "last_attempt": execution.last_attempt,
        }
        if execution.platform_execution is not None:
            self._fields["platform_execution"] = execution.platform_execution
        self._fields |= _go_fields(execution, reported=reported)

    def log_start(self, job: str, circumstances: Mapping[str, Any]) -> None:
        """Log that the work starts now."""
        self._began = time.monotonic()
        shown = ForPeople("execution starting")
        extra = {CONSOLE: shown, "job": job, **circumstances, **self._fields}
        if self._time_limit is not None:
            extra["time_limit"] = self._time_limit
        logger.info("execution starting", extra=extra)

    def log_success(self, summary: object) -> None:
        """Log that the work is done, and what it returned if that is anything."""
        self._log(logging.INFO, "execution succeeded", None, {"summary": summary})

    def log_failure(self, error: Exception) -> None:
        """Log how the work failed, or was cut short; once, with the traceback.

        Args:
            error: what the execution ends with.
        """
        match error:
            case LockHeldError():
                self._log(logging.INFO, f"execution skipped: {describe(error)}")
            case JobCancelledError():
                self._log(logging.WARNING, str(error), _own_error_of(error.__cause__))
            case JobDeadlineError():
                self._log(logging.ERROR, str(error), exception_of(error))
            case StopTimeoutError():
                self._log(logging.ERROR, str(error), exception_of(error), {"stack": error.stack})
            case _ if exit_code(error) == PermanentError.exit_code:
                self._log(logging.ERROR, f"execution failed for good: {describe(error)}", error)
            case _:
                self._log(logging.ERROR, f"execution failed: {describe(error)}", error)

    def _log(
        self,
        level: int,
        text: str,
        exception: BaseException | ExcInfo | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        seconds = seconds_since(self._began)
        given = {key: value for key, value in (more or {}).items() if value is not None}
        shown = ForPeople(f"{text} ({format_seconds(seconds)})", frozenset(given))
        times = {"seconds": seconds, "duration": seconds}
        extra = {CONSOLE: shown, **self._fields, **times, **given}
        logger.log(level, "%s", text, extra=extra, exc_info=exception)


def _go_fields(execution: Execution, *, reported: bool) -> dict[str, Any]:
    """Return the fields that these lines have in a Go job, under their names there.

    One query then finds the executions of all jobs of a fleet.
    """
    schedule, deadline = execution.cron_schedule, execution.time_limit
    return {
        "executionID": execution.id,
        "useSentryCronMonitor": reported and None not in (schedule, deadline),
        "cronSchedule": schedule,
        "cronDeadline": deadline,
    }


def _own_error_of(cause: BaseException | None) -> BaseException | None:
    """Return what the job raised while it was being cancelled; None for the cancellation itself."""
    return None if isinstance(cause, asyncio.CancelledError) else cause
