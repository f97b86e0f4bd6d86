"""JobVariables: what the platform says to a job about its execution."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from msp_core.assembly._bounds import check_not_negative, check_positive
from msp_core.assembly._fragments import Schedule
from msp_core.config import env
from msp_core.deadline import Deadline
from msp_core.errors import InvalidValue
from msp_core.execution import Execution, new_execution_id
from msp_core.platforms import Platform

# How often a platform tries a failed task again by default; 0 where it is not listed.
_RETRIES = {Platform.CLOUD_RUN: 3}


@attrs.frozen(kw_only=True, eq=False)
class Task:
    """Which of the tasks of an execution this process is."""

    index: int = env(
        "CLOUD_RUN_TASK_INDEX",
        default=0,
        help="which task of the execution this is, from 0",
        validator=check_not_negative,
    )
    count: int = env(
        "CLOUD_RUN_TASK_COUNT",
        default=1,
        help="how many tasks the execution has",
        validator=check_positive,
    )

    def __attrs_post_init__(self) -> None:
        """Refuse an index that no task has."""
        if self.index >= self.count:
            raise InvalidValue("an index below the count")


@attrs.frozen(kw_only=True, eq=False)
class JobVariables:
    """The variables of a job, beyond those of every process."""

    job: str | None = env("CLOUD_RUN_JOB", default=None, help="the platform's name for the job")
    execution: str | None = env(
        "CLOUD_RUN_EXECUTION", default=None, help="the platform's name for the execution"
    )
    task: Task
    attempt: int = env(
        "CLOUD_RUN_TASK_ATTEMPT",
        default=0,
        help="how often this task was tried before",
        validator=check_not_negative,
    )
    retries: int | None = env(
        "MSP_JOB_RETRIES",
        default=None,
        help="how often a failed task is tried again; default 3 on Cloud Run, 0 elsewhere",
        validator=check_not_negative,
    )
    schedule: Schedule


def new_execution(
    variables: JobVariables, platform: Platform, ending: Callable[[], bool]
) -> Execution:
    """Return the execution of this process, under a new id; its time runs from now.

    Args:
        variables: what the platform says about it.
        platform: for the retries where no variable is set.
        ending: () -> whether it is to end early.
    """
    retries = _RETRIES.get(platform, 0) if variables.retries is None else variables.retries
    limit = variables.schedule.time_limit
    return Execution(
        id=new_execution_id(),
        task_index=variables.task.index,
        task_count=variables.task.count,
        attempt=variables.attempt,
        last_attempt=variables.attempt >= retries,
        time_limit=limit,
        deadline=None if limit is None else Deadline.after(limit),
        cron_schedule=variables.schedule.cron,
        platform_job=variables.job,
        platform_execution=variables.execution,
        ending=ending,
    )
