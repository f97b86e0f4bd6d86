"""Monitor: what Sentry is told about a job, so that it notices runs that fail or do not happen."""

from __future__ import annotations

import math
from typing import Any

import attrs

from msp_core.assembly import Environment, Schedule
from msp_core.config import Secret, env
from msp_sentry._config import check_dsn


@attrs.frozen(kw_only=True, eq=False)
class CheckInConfig:
    """What the platform says about a job's schedule.

    Attributes:
        dsn: of the Sentry project; None also when it is malformed. From `SENTRY_DSN`.
        schedule: when a run begins, and how long it may take.
        environment: part of the monitor's name.
    """

    dsn: Secret | None = env(
        "SENTRY_DSN",
        default=None,
        help="DSN of the Sentry project that check-ins are sent to",
        validator=check_dsn,
        invalid_is_unset=True,
    )
    schedule: Schedule
    environment: Environment

    def monitor(self, service: str) -> Monitor | None:
        """Return the job's monitor; None unless DSN, schedule and deadline are all there."""
        cron, limit = self.schedule.cron, self.schedule.time_limit
        if self.dsn is None or cron is None or limit is None:
            return None
        slug = f"{service}-{self.environment.id}"
        return Monitor(slug=slug, schedule=cron, deadline=limit)


@attrs.frozen(kw_only=True, eq=False)
class Monitor:
    """One job in one environment.

    Attributes:
        slug: its name at Sentry.
        schedule: crontab, in UTC.
        deadline: seconds a run may take.
    """

    slug: str
    schedule: str
    deadline: float

    def config(self) -> dict[str, Any]:
        """Return what Sentry creates or updates the monitor by; times in minutes, 1 at least."""
        minutes = self.deadline / 60
        return {
            "schedule": {"type": "crontab", "value": self.schedule},
            "checkin_margin": max(1, math.ceil(minutes / 2)),
            "max_runtime": max(1, math.ceil(minutes)),
            "timezone": "Etc/UTC",
        }
