"""Check, CheckResult, and Watch, which follows one check over time."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import attrs

logger = logging.getLogger("msp.health")

# What libraries put into their texts although it is a secret: `scheme://user:password@host` and
# `password=…` of a connection string.
_USER_INFO = re.compile(r"(?<=://)[^/\s@]*@")
_PASSWORD = re.compile(r"(?i)\b(password|passwd|pwd|secret|token)=('[^']*'|\S+)")


@attrs.frozen(eq=False)
class Check:
    """A question to one resource.

    Attributes:
        name: what results and logs call it; usually the integration's name.
        run: () -> awaitable that raises when the resource is unhealthy.
        critical: whether its failure makes the service unready. Default True.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    critical: bool = True


@attrs.frozen(kw_only=True)
class CheckResult:
    """The result of one run of a check.

    Attributes:
        name: of the check.
        healthy: whether it did not raise and answered in time.
        critical: of the check.
        duration: seconds the run took, or has taken so far when it does not end.
        since: UTC time at which the check turned to what it is now.
        error: class name of what it raised; None when healthy.
        detail: its text without secrets, for holders of the diagnostics secret; None when healthy.
    """

    name: str
    healthy: bool
    critical: bool
    duration: float
    since: datetime
    error: str | None = None
    detail: str | None = None


class Watch:
    """One check over time: runs it at most once at a time and logs when it turns.

    Args:
        check: what to run.
        timeout: seconds after which a run counts as failed.
        scrub: (text) -> the text without secrets.
        fields: added to the log line about a turn.
    """

    def __init__(
        self,
        check: Check,
        *,
        timeout: float,
        scrub: Callable[[str], str],
        fields: dict[str, Any] | None = None,
    ) -> None:
        self._check = check
        self._timeout = timeout
        self._scrub = scrub
        self._fields = fields or {}
        self._task: asyncio.Task[None] | None = None
        self._began = 0.0
        self._last: CheckResult | None = None

    async def result(self) -> CheckResult:
        """Return what a run says now; never raises, never takes longer than the timeout."""
        # A run that ignores its cancellation is not joined by more of its kind: it fails again.
        task = self._left_over() or await self._run_once()
        result = self._judge(self._failure_of(task))
        self._log_turn(result)
        self._last = result
        return result

    async def _run_once(self) -> asyncio.Task[None]:
        self._began = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(_retrieve)
        # Not `wait_for`, which would wait for the end of a run that ignores its cancellation.
        await asyncio.wait({self._task}, timeout=self._timeout)
        return self._task

    async def _run(self) -> None:
        await self._check.run()

    def _left_over(self) -> asyncio.Task[None] | None:
        """Return an earlier run that goes on although it was cancelled."""
        task = self._task
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            return None
        return task

    def _failure_of(self, task: asyncio.Task[None]) -> BaseException | None:
        if not task.done():
            task.cancel()
            return TimeoutError(f"no answer within {self._timeout:g} s")
        if task.cancelled():
            return asyncio.CancelledError("the check was cancelled")
        return task.exception()

    def _judge(self, failure: BaseException | None) -> CheckResult:
        healthy = failure is None
        turned = self._last is None or self._last.healthy is not healthy
        return CheckResult(
            name=self._check.name,
            healthy=healthy,
            critical=self._check.critical,
            duration=time.monotonic() - self._began,
            since=datetime.now(UTC) if turned or self._last is None else self._last.since,
            error=None if failure is None else type(failure).__name__,
            detail=None if failure is None else self._text_of(failure),
        )

    def _text_of(self, failure: BaseException) -> str:
        text = self._scrub(str(failure)) or type(failure).__name__
        return _PASSWORD.sub(r"\1=***", _USER_INFO.sub("***@", text))

    def _log_turn(self, result: CheckResult) -> None:
        was_healthy = self._last is None or self._last.healthy
        fields = {"check": result.name, "critical": result.critical, **self._fields}
        if was_healthy and not result.healthy:
            fields |= {"error": result.error, "detail": result.detail}
            logger.warning("check %r turned failing: %s", result.name, result.detail, extra=fields)
        elif not was_healthy and result.healthy:
            logger.info("check %r recovered", result.name, extra=fields)


def _retrieve(task: asyncio.Task[None]) -> None:
    """Look at the outcome of a run nobody waits for any more, so that asyncio does not complain."""
    if not task.cancelled():
        task.exception()
