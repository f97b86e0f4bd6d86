"""HealthReport: what `/-/health` says, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import attrs

from msp_core.health import CheckResult

Status = Literal["ok", "failing"]


@attrs.frozen(kw_only=True, eq=False)
class HealthCheck:
    """The last result of one check.

    Attributes:
        name: of the check.
        status: whether it passed.
        critical: whether its failure makes the service unready.
        duration: seconds that it took, in microseconds' steps.
        since: time at which it turned to what it is now.
        error: class name of what it raised; None when it passed.
    """

    name: str
    status: Status
    critical: bool
    duration: float
    since: datetime
    error: str | None

    @classmethod
    def of(cls, result: CheckResult) -> HealthCheck:
        """Return what may be shown of a result."""
        return cls(
            name=result.name,
            status="ok" if result.healthy else "failing",
            critical=result.critical,
            duration=round(result.duration, 6),
            since=result.since,
            error=result.error,
        )


@attrs.frozen(kw_only=True, eq=False)
class HealthReport:
    """The whole answer.

    Attributes:
        status: whether every critical check passed.
        started: whether every routine is up.
        draining: whether the process is about to stop.
        checks: in the order they were added, the service's own last.
    """

    status: Status
    started: bool
    draining: bool
    checks: Sequence[HealthCheck]
