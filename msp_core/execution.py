"""Execution: one run of a job, and this task's share of its work."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from msp_core.deadline import Deadline
from msp_core.errors import UsageError

ItemT = TypeVar("ItemT")

# Where a UUID says which version and variant it is (RFC 9562, section 5.7).
_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_VERSION_BITS = 0xF << 76
_VARIANT_BITS = 0b11 << 62


def new_execution_id() -> str:
    """Return a new UUID of version 7, which sorts by the time it was made.

    48 bits of Unix milliseconds, then 74 random ones. Python's own come with 3.14.
    """
    milliseconds = time.time_ns() // 1_000_000
    bits = milliseconds << 80 | int.from_bytes(os.urandom(10))
    bits = bits & ~_VERSION_BITS | _VERSION
    bits = bits & ~_VARIANT_BITS | _VARIANT
    return str(uuid.UUID(int=bits))


def never() -> bool:
    """Stand for an execution that nobody ends early."""
    return False


@attrs.frozen(kw_only=True)
class Execution:
    """One run of a job, as `contract.execution`; a test may make one with the numbers it needs.

    A platform may run several tasks of one execution side by side, and each task again when it
    failed. Elsewhere there is one task and one attempt.

    Attributes:
        id: made anew for each run, a UUID of version 7.
        task_index: which task this is, from 0. From `CLOUD_RUN_TASK_INDEX`, default 0.
        task_count: how many tasks there are. From `CLOUD_RUN_TASK_COUNT`, default 1.
        attempt: how often this task was tried before. From `CLOUD_RUN_TASK_ATTEMPT`, default 0.
        last_attempt: whether the platform gives up when this attempt fails. From
            `MSP_JOB_RETRIES`, default 3 on Cloud Run and 0 elsewhere.
        time_limit: seconds until the platform ends the task; None without limit. From
            `JOB_EXECUTION_DEADLINE`.
        deadline: when those are over; the end is asked for a margin earlier. None without limit.
        cron_schedule: when the job runs, five fields. From `JOB_EXECUTION_CRON_SCHEDULE`; None
            for a job that is started by hand.
        platform_job: the platform's name for the job. From `CLOUD_RUN_JOB`; None elsewhere.
        platform_execution: its name for this execution, the same in all tasks and attempts. From
            `CLOUD_RUN_EXECUTION`; None elsewhere.
    """

    id: str = ""
    task_index: int = 0
    task_count: int = 1
    attempt: int = 0
    last_attempt: bool = True
    time_limit: float | None = None
    deadline: Deadline | None = None
    cron_schedule: str | None = None
    platform_job: str | None = None
    platform_execution: str | None = None
    _ending: Callable[[], bool] = attrs.field(default=never, alias="ending", repr=False, eq=False)

    @property
    def cancelled(self) -> bool:
        """Whether the execution is to end now: a signal came, or the deadline is near.

        For plain code, which looks here between two items; `async` code gets `CancelledError`.
        """
        return self._ending()

    def share(self, items: Sequence[ItemT]) -> Sequence[ItemT]:
        """Return this task's part of a sequence that is the same in every task.

        All tasks together get every item exactly once; the sizes of their parts differ by one at
        most. A retried task gets the same part, even when items were appended in between.

        Raises:
            UsageError: the items are no sequence, so that every task may see another order.
        """
        if not isinstance(items, Sequence):
            raise UsageError(
                f"share() of a {type(items).__name__}: expected a sequence, in the same order in"
                " every task; sorted(…) makes one"
            )
        return items[self.task_index :: self.task_count]

    def owns(self, key: str | bytes | int) -> bool:
        """Return whether a key belongs to this task; each belongs to exactly one.

        The answer is the same in every process and version, so that tasks need not agree on a
        list. A number and its decimal text are one key, as are a text and its UTF-8 bytes.

        Raises:
            UsageError: the key is of another type.
        """
        digest = hashlib.blake2b(_bytes(key), digest_size=8).digest()
        return int.from_bytes(digest) % self.task_count == self.task_index


def _bytes(key: str | bytes | int) -> bytes:
    match key:
        case bytes():
            return key
        case str():
            return key.encode(errors="surrogatepass")
        case int():
            return b"%d" % key
    raise UsageError(f"owns() of a {type(key).__name__}: expected str, bytes or int")
