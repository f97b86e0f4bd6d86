"""Execution: what a job is told about its run, and its share of the work."""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_core import ConfigError, JobContract, UsageError, hookimpl, open_contract
from msp_core.execution import Execution, new_execution_id

TASKS = st.integers(min_value=1, max_value=40)


class Job:
    """A job that is not run."""

    name = "cleaner"
    version = "1.2.3"

    @hookimpl
    async def msp_execute(self) -> None: ...


def tasks(count: int) -> list[Execution]:
    """Return the executions of all tasks."""
    return [Execution(task_index=index, task_count=count) for index in range(count)]


async def execution(environ: Mapping[str, str]) -> Execution:
    """Return the execution a job gets in an environment."""
    async with open_contract(environ, Job(), plugins=()) as contract:
        assert isinstance(contract, JobContract)
        return contract.execution


class TestShare:
    def test_retried_task(self) -> None:
        """Ten tasks over 1,003 items, one of them retried, do every item exactly once."""
        items = [f"item-{number}" for number in range(1003)]
        done = [list(task.share(items)) for task in tasks(10)]
        failed = done[7][:40]  # what the first attempt of the task did is done again
        done[7] = list(Execution(task_index=7, task_count=10, attempt=1).share(items))

        assert failed == done[7][:40]
        assert Counter(item for part in done for item in part) == Counter(items)
        assert {len(part) for part in done} == {100, 101}

    @given(st.lists(st.integers()), TASKS)
    def test_every_item_once(self, items: list[int], count: int) -> None:
        """Whatever the items and the number of tasks: each exactly once, sizes nearly equal."""
        parts = [list(task.share(items)) for task in tasks(count)]
        sizes = [len(part) for part in parts]

        assert Counter(item for part in parts for item in part) == Counter(items)
        assert max(sizes) - min(sizes) <= 1

    @given(st.lists(st.integers()), st.lists(st.integers()), TASKS)
    def test_appended_items(self, items: list[int], more: list[int], count: int) -> None:
        """What was appended between two attempts moves no item to another task."""
        for task in tasks(count):
            before = list(task.share(items))

            assert list(task.share([*items, *more]))[: len(before)] == before

    @pytest.mark.parametrize("items", [(1, 2, 3), range(3), "abc"])
    def test_kind_of_sequence(self, items: Sequence[Any]) -> None:
        """A part is a sequence of the same kind; that of a single task is all."""
        assert Execution().share(items) == items

    @pytest.mark.parametrize("items", [{1, 2}, {1: 2}, iter(())])
    def test_no_sequence(self, items: Any) -> None:
        """What has no order that all tasks agree on is refused with what to do."""
        with pytest.raises(UsageError, match=r"share\(\) of a \w+: expected a sequence"):
            Execution().share(items)


def test_nobody_ends_it() -> None:
    """An execution made in a test is one that nobody cancels, unless it is told otherwise."""
    assert not Execution().cancelled
    assert Execution(ending=lambda: True).cancelled


class TestOwns:
    @given(st.one_of(st.text(), st.binary(), st.integers()), TASKS)
    def test_one_owner(self, key: str | bytes | int, count: int) -> None:
        """Every key, surrogates included, belongs to exactly one task."""
        assert sum(task.owns(key) for task in tasks(count)) == 1

    def test_never_changes(self) -> None:
        """The owner is the same in every process and version: it is fixed here."""
        owners = [
            next(task.task_index for task in tasks(10) if task.owns(key))
            for key in ("alice", "bob", b"carol", 42, -1, "")
        ]

        assert owners == OWNERS

    def test_same_key(self) -> None:
        """A number is its text, a text its bytes: tasks may read keys from different places."""
        for task in tasks(7):
            assert task.owns(42) is task.owns("42") is task.owns(b"42")

    def test_even(self) -> None:
        """No task gets much more than the others."""
        sizes = [sum(map(task.owns, range(5000))) for task in tasks(10)]

        assert sum(sizes) == 5000
        assert min(sizes) > 400

    @pytest.mark.parametrize("key", [None, 1.5, ("a", 1)])
    def test_other_key(self, key: Any) -> None:
        """A key of another type is refused: its text may not be the same everywhere."""
        with pytest.raises(UsageError, match=r"owns\(\) of a \w+: expected str, bytes or int"):
            Execution().owns(key)


OWNERS = [9, 2, 5, 8, 4, 6]


class TestVariables:
    async def test_laptop(self) -> None:
        """Without any variable: one task, one attempt, no deadline."""
        found = await execution({})

        assert (found.task_index, found.task_count) == (0, 1)
        assert (found.attempt, found.last_attempt) == (0, True)
        assert (found.deadline, found.time_limit, found.cron_schedule) == (None, None, None)
        assert (found.platform_job, found.platform_execution) == (None, None)
        assert not found.cancelled

    async def test_cloud_run(self) -> None:
        """What Cloud Run Jobs and the platform inject is told, with the ids to search logs by."""
        found = await execution(
            {
                "CLOUD_RUN_JOB": "cleaner",
                "CLOUD_RUN_EXECUTION": "cleaner-x7k2p",
                "CLOUD_RUN_TASK_INDEX": "3",
                "CLOUD_RUN_TASK_COUNT": "10",
                "CLOUD_RUN_TASK_ATTEMPT": "2",
                "JOB_EXECUTION_DEADLINE": "300s",
                "JOB_EXECUTION_CRON_SCHEDULE": "0 * * * *",
            }
        )

        assert (found.task_index, found.task_count, found.attempt) == (3, 10, 2)
        assert (found.platform_job, found.platform_execution) == ("cleaner", "cleaner-x7k2p")
        assert (found.time_limit, found.cron_schedule) == (300, "0 * * * *")
        assert found.deadline is not None
        assert 290 < found.deadline.remaining() <= 300

    @pytest.mark.parametrize(
        ("environ", "last"),
        [
            ({"CLOUD_RUN_JOB": "x", "CLOUD_RUN_TASK_ATTEMPT": "2"}, False),
            ({"CLOUD_RUN_JOB": "x", "CLOUD_RUN_TASK_ATTEMPT": "3"}, True),
            ({"CLOUD_RUN_JOB": "x", "MSP_JOB_RETRIES": "0"}, True),
            ({"MSP_JOB_RETRIES": "1"}, False),
        ],
    )
    async def test_last_attempt(self, environ: dict[str, str], last: bool) -> None:  # noqa: FBT001 - the expected value
        """The last attempt is told from the retries, which are 3 on Cloud Run by default."""
        assert (await execution(environ)).last_attempt is last

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CLOUD_RUN_TASK_INDEX", "-1"),
            ("CLOUD_RUN_TASK_INDEX", "1"),
            ("CLOUD_RUN_TASK_COUNT", "0"),
            ("CLOUD_RUN_TASK_ATTEMPT", "-1"),
            ("MSP_JOB_RETRIES", "-1"),
            ("JOB_EXECUTION_DEADLINE", "0"),
            ("JOB_EXECUTION_DEADLINE", "soon"),
        ],
    )
    async def test_problem(self, name: str, value: str) -> None:
        """A number that cannot be is a problem that names its variable."""
        with pytest.raises(ConfigError, match=name):
            await execution({name: value})


class TestNewExecutionId:
    def test_form(self) -> None:
        """An id is a UUID of version 7 in RFC 9562's variant, made of the time in milliseconds."""
        before = time.time_ns() // 1_000_000
        made = uuid.UUID(new_execution_id())
        after = time.time_ns() // 1_000_000

        assert made.version == 7
        assert made.variant == uuid.RFC_4122
        assert before <= made.int >> 80 <= after
        assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", str(made))

    async def test_every_run_has_its_own(self) -> None:
        """Two executions never share an id."""
        ids = [(await execution({})).id for _ in range(2)]

        assert len(set(ids)) == 2
