"""The outcome of a job: its exit code and its line."""

from __future__ import annotations

import pytest

from tests.msp_core.job_sources import WELL
from tests.msp_core.program import StartProgram


class TestOutcome:
    def test_success(self, program: StartProgram) -> None:
        """A job that returns leaves with 0; start, outcome, summary and ledger are told."""
        job = program(WELL, {"CLOUD_RUN_EXECUTION": "probe-x7k2p", "CLOUD_RUN_TASK_COUNT": "2"})

        assert job.code() == 0
        start, end = job.line("execution starting"), job.line("execution succeeded")
        for line in (start, end):
            assert line["level"] == "INFO"
            assert line["execution_id"] == start["execution_id"] != ""
            assert (line["task_index"], line["task_count"], line["attempt"]) == (0, 2, 0)
            assert line["platform_execution"] == "probe-x7k2p"
        assert (start["job"], start["msp"], start["sentry"]) == ("probe", False, False)
        assert end["summary"] == {"rows": 3}
        assert end["seconds"] >= 0
        assert job.ledger()["reason"] == "completion"
        assert [step["name"] for step in job.ledger()["steps"]] == ["execution"]

    @pytest.mark.parametrize(
        ("environ", "schedule", "deadline"),
        [
            ({}, None, None),
            ({"JOB_EXECUTION_DEADLINE": "10m"}, None, 600),
            (
                {"JOB_EXECUTION_DEADLINE": "10m", "JOB_EXECUTION_CRON_SCHEDULE": "0 3 * * *"},
                "0 3 * * *",
                600,
            ),
        ],
    )
    def test_names_of_a_go_job(
        self,
        program: StartProgram,
        environ: dict[str, str],
        schedule: str | None,
        deadline: float | None,
    ) -> None:
        """Start and end carry the fields that a Go job logs, so that one query finds both."""
        job = program(WELL, environ)

        assert job.code() == 0
        start, end = job.line("execution starting"), job.line("execution succeeded")
        for line in (start, end):
            assert line["executionID"] == start["execution_id"]
            assert line["useSentryCronMonitor"] is False
            assert (line["cronSchedule"], line["cronDeadline"]) == (schedule, deadline)
        assert "duration" not in start
        assert end["duration"] == end["seconds"]

    def test_plain_code(self, program: StartProgram) -> None:
        """A plain `def` works in a thread; without a summary none is logged."""
        job = program(
            """
            @hookimpl
            def msp_execute(self, contract, config):
                assert threading.current_thread() is not threading.main_thread()
            """
        )

        assert job.code() == 0
        assert "summary" not in job.line("execution succeeded")

    def test_failure(self, program: StartProgram) -> None:
        """What a job raises is logged once with its traceback: exit 1."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                raise LookupError("no such table")
            """
        )

        assert job.code() == 1
        line = job.line("execution failed: no such table")
        assert line["level"] == "ERROR"
        assert "in msp_execute" in line["trace"]
        assert job.stderr.count("Traceback") == 1
        assert job.ledger()["reason"] == "failure"
        assert job.ledger()["exit_code"] == 1

    def test_permanent_failure(self, program: StartProgram) -> None:
        """A job that says that a retry is pointless leaves with 65."""
        job = program(
            """
            @hookimpl
            def msp_execute(self):
                raise PermanentError("the bucket is gone")
            """
        )

        assert job.code() == 65
        assert (
            "in msp_execute" in job.line("execution failed for good: the bucket is gone")["trace"]
        )

    def test_own_config_error(self, program: StartProgram) -> None:
        """A configuration problem that the job itself finds is 78, as everywhere."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                raise ConfigError([Problem(variable="THEME", owner="job", wrong="is missing")])
            """
        )

        assert job.code() == 78
        assert "THEME is missing (needed by job)" in job.stderr

    def test_configuration_problem(self, program: StartProgram) -> None:
        """A variable of the platform that cannot be is a problem like any other: exit 78."""
        job = program(WELL, {"CLOUD_RUN_TASK_INDEX": "first"})

        assert job.code() == 78
        assert "execution starting" not in job.stderr

    def test_sys_exit(self, program: StartProgram) -> None:
        """A job that calls sys.exit has failed, and everything is closed all the same."""
        job = program(
            """
            @hookimpl
            def msp_execute(self):
                sys.exit(0)
            """
        )

        assert job.code() == 1
        assert "called sys.exit" in job.stderr

    def test_cancels_itself(self, program: StartProgram) -> None:
        """A cancellation that nobody asked for is a failure, not a success."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                raise asyncio.CancelledError
            """
        )

        assert job.code() == 1
        assert job.line("execution cancelled by itself")["level"] == "WARN"

    def test_service(self, program: StartProgram) -> None:
        """execute_job refuses a service: one sentence, exit 2."""
        job = program(
            """
            @hookimpl
            async def msp_initialize(self): ...
            """,
            foot="execute_job(Service())",
        )

        assert job.code() == 2
        (line,) = job.lines
        assert "'probe' is a service, expected a job" in line["Body"]

    def test_start(self, program: StartProgram) -> None:
        """A job runs under start(), too."""
        job = program(WELL, foot="start(Service(), plugins=())")

        assert job.code() == 0
        assert job.line("execution succeeded")["summary"] == {"rows": 3}
