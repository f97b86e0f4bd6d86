"""Fragments: variables that the core reads, for configs of others that read them as well.

    @attrs.frozen
    class ReportConfig:
        environment: Environment
        schedule: Schedule

So a variable has one help text, one default and one check, whoever reads it.
"""

from __future__ import annotations

import attrs

from msp_core.assembly._bounds import check_positive
from msp_core.config import Duration, env


@attrs.frozen(kw_only=True, eq=False)
class Environment:
    """Where a process runs.

    Attributes:
        id: of the environment. From `ENVIRONMENT_ID`, default `unknown`.
    """

    id: str = env("ENVIRONMENT_ID", default="unknown", help="environment the process belongs to")


@attrs.frozen(kw_only=True, eq=False)
class Schedule:
    """When a job runs, and how long it may.

    Attributes:
        time_limit: seconds until the platform ends the task; None without limit. From
            `JOB_EXECUTION_DEADLINE`.
        cron: five fields; None for a job that is started by hand. From
            `JOB_EXECUTION_CRON_SCHEDULE`.
    """

    time_limit: Duration | None = env(
        "JOB_EXECUTION_DEADLINE",
        default=None,
        help="time until the platform ends the task; the end is asked for a margin earlier",
        validator=check_positive,
    )
    cron: str | None = env(
        "JOB_EXECUTION_CRON_SCHEDULE", default=None, help="when the job runs, for check-ins"
    )
