"""CheckIn: tells Sentry, and the log, that an execution of a job starts and how it ends."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from msp_core.config import Secret, load
from msp_core.contract import Origin
from msp_core.deadline import closing
from msp_core.errors import ConfigError, JobCancelledError, JobDeadlineError, StopTimeoutError
from msp_core.execution import new_execution_id
from msp_sentry._closing import close, close_plain
from msp_sentry._monitor import CheckInConfig, Monitor
from msp_sentry._trace import opentelemetry_span

if TYPE_CHECKING:  # the SDK is imported where a check-in is sent
    import sentry_sdk

logger = logging.getLogger("msp.job.checkin")

# Seconds the end of an execution waits for its check-in to be sent.
FLUSH: Final = 1.0


class CheckIn:
    """One execution of a job; `with` or `async with` starts and finishes it.

    Whatever is wrong with Sentry, nothing is raised, and nothing waits longer than a second. An
    exception that leaves the block fails the execution and passes through.

    Args:
        execution_id: of the first and of the last check-in.
        monitor: the job's; None to log only.
        client: for check-ins; None to log only.
        level: of the lines about start and outcome; below info, a failure's has it too.

    Attributes:
        execution_id: UUIDv7 as text.
    """

    def __init__(
        self,
        execution_id: str,
        *,
        monitor: Monitor | None,
        client: sentry_sdk.Client | None,
        level: int = logging.INFO,
    ) -> None:
        self.execution_id = execution_id
        self._monitor = monitor
        self._client = client
        self._level = level
        self._began = time.monotonic()
        self._finished = False

    @property
    def monitored(self) -> bool:
        """Whether anything is sent."""
        return self._monitor is not None

    def start(self) -> None:
        """Say that the execution starts now."""
        self._began = time.monotonic()
        logger.log(self._level, "starting", extra=self._fields())
        self._send("in_progress")

    def finish(self, error: BaseException | None = None) -> None:
        """Say that the execution ended, and wait a second at most for that to be sent.

        Only the first call counts.

        Args:
            error: that ended it; None when it succeeded.
        """
        client = self._end(error)
        if client is not None:
            close_plain(client, closing(FLUSH))

    async def finish_async(self, error: BaseException | None = None) -> None:
        """Do the same without holding up the event loop."""
        client = self._end(error)
        if client is not None:
            await close(client, closing(FLUSH))

    def _end(self, error: BaseException | None) -> sentry_sdk.Client | None:
        """Log and send the outcome once; return the client that has to be flushed."""
        if self._finished:
            return None
        self._finished = True
        duration = time.monotonic() - self._began
        fields = {**self._fields(), "duration": round(duration, 3)}
        if _is_success(error):
            logger.log(self._level, "succeeded", extra=fields)
        else:
            # Without the traceback, which whoever catches the exception logs.
            text = f"{type(error).__qualname__}: {error}"
            level = logging.ERROR if self._level >= logging.INFO else self._level
            logger.log(level, _failure(error), extra={**fields, "error": text})
        self._send("ok" if _is_success(error) else "error", duration)
        return self._client

    def _send(self, status: str, duration: float | None = None) -> None:
        if self._client is None or self._monitor is None:
            return
        event: Any = {
            "type": "check_in",
            "check_in_id": self.execution_id,
            "monitor_slug": self._monitor.slug,
            "monitor_config": self._monitor.config(),
            "status": status,
            "duration": duration,
        }
        if span := opentelemetry_span():
            event["contexts"] = {"trace": span}
        try:
            self._client.capture_event(event)
        except Exception as failure:  # noqa: BLE001 - a check-in must not fail the job
            logger.warning("check-in was not sent", extra={"error": type(failure).__name__})

    def _fields(self) -> dict[str, Any]:
        """Return the fields of each line, named as Go services name them."""
        fields: dict[str, Any] = {
            "executionID": self.execution_id,
            "useSentryCronMonitor": self.monitored,
        }
        if self._monitor is not None:
            fields["cronSchedule"] = self._monitor.schedule
            fields["cronDeadline"] = self._monitor.deadline
        return fields

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish."""
        self.finish(error)

    async def __aenter__(self) -> Self:
        """Start."""
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish."""
        await self.finish_async(error)


def check_in(
    environ: Mapping[str, str],
    *,
    service: str,
    version: str,
    execution_id: str | None = None,
    instance_id: str | None = None,
    level: int = logging.INFO,
) -> CheckIn:
    """Return the check-in of one execution, to be started by `with` or `async with`.

    Without `SENTRY_DSN`, `JOB_EXECUTION_CRON_SCHEDULE` or `JOB_EXECUTION_DEADLINE`, and when one
    of them is wrong, which is logged, it only logs.

    Args:
        environ: the variables, usually `os.environ`.
        service: name of the job.
        version: its version.
        execution_id: a UUID; default a new one.
        instance_id: of the process; default the execution's.
        level: of the lines about start and outcome; below info, a failure's has it too.
    """
    execution_id = execution_id or new_execution_id()
    try:
        config = load(CheckInConfig, environ, owner=f"job {service!r}")
    except ConfigError as error:
        for problem in error.problems:
            logger.error("%s", problem, extra={"variable": problem.variable})  # noqa: TRY400 - says all
        return CheckIn(execution_id, monitor=None, client=None)
    monitor = config.monitor(service)
    origin = Origin(
        name=service,
        version=version,
        environment_id=config.environment.id,
        instance_id=instance_id or uuid.UUID(execution_id).hex,
    )
    client = None if monitor is None or config.dsn is None else _client(config.dsn, origin)
    return CheckIn(execution_id, monitor=monitor, client=client, level=level)


def start_check_in(
    environ: Mapping[str, str],
    *,
    service: str,
    version: str,
    execution_id: str | None = None,
    instance_id: str | None = None,
) -> CheckIn:
    """Return the check-in of one execution, started; call `finish` or await `finish_async`.

    Args:
        environ: as for `check_in`.
        service: same.
        version: same.
        execution_id: same.
        instance_id: same.
    """
    started = check_in(
        environ,
        service=service,
        version=version,
        execution_id=execution_id,
        instance_id=instance_id,
    )
    started.start()
    return started


def _client(dsn: Secret, origin: Origin) -> sentry_sdk.Client:
    from msp_sentry._client import make_check_in_client  # noqa: PLC0415 - imports the vendor library

    return make_check_in_client(dsn, origin)


def _is_success(error: BaseException | None) -> bool:
    """Return whether that is no failure: nothing, or the `sys.exit` of a success."""
    return error is None or (isinstance(error, SystemExit) and not error.code)


def _failure(error: BaseException | None) -> str:
    """Return what a person wants to know first: ran out of time, was stopped, or is broken."""
    if isinstance(error, TimeoutError | JobDeadlineError | StopTimeoutError):
        return "failed: out of time"
    if isinstance(error, asyncio.CancelledError | JobCancelledError | KeyboardInterrupt):
        return "failed: cancelled"
    return "failed"
