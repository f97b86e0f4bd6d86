"""What plugins put around the execution of a job."""

from __future__ import annotations

import pytest

from tests.msp_core.installed import Installed
from tests.msp_core.job_sources import WAITING, WELL, around, said
from tests.msp_core.program import StartProgram


class TestAround:
    def test_order(self, program: StartProgram, installed: Installed) -> None:
        """Context managers are entered in declared order, telemetry first, and left in reverse."""
        around(installed, "one")
        around(installed, "two")
        environ = around(installed, "trace", telemetry=True)
        job = program(WELL, environ, head='PLUGINS = ("one", "two", "trace")')

        assert job.code() == 0
        assert said(job) == [
            *("entered trace", "entered one", "entered two"),
            *("left two with None", "left one with None", "left trace with None"),
        ]
        names = [step["name"] for step in job.ledger()["steps"]]
        assert names == ["execution", "two execution", "one execution", "trace execution"]

    @pytest.mark.parametrize("kind", ["async def", "def"])
    def test_context_variables(
        self, program: StartProgram, installed: Installed, kind: str
    ) -> None:
        """What a plugin sets around the execution, such as a span, the job and its lines see."""
        environ = around(installed)
        body = f"""
        @hookimpl
        {kind} msp_execute(self, contract):
            import fake_span
            return fake_span.span.get()
        """
        job = program(body, environ, head='PLUGINS = ("span",)')

        assert job.code() == 0
        assert job.line("execution succeeded")["summary"] == "span"

    def test_outcome(self, program: StartProgram, installed: Installed) -> None:
        """A failure goes through every context manager; one that swallows it changes nothing."""
        around(installed, "outer")
        environ = around(installed, "inner", leaving="return True")
        job = program(
            """
            @hookimpl
            def msp_execute(self):
                raise PermanentError("no use")
            """,
            environ,
            head='PLUGINS = ("outer", "inner")',
        )

        assert job.code() == 65
        assert said(job)[2:] == [
            "left inner with PermanentError",
            "left outer with PermanentError",
        ]
        assert said(job, "msp.job")[1:] == ["execution failed for good: no use"]

    @pytest.mark.parametrize(
        ("environ", "error"),
        [({}, "JobCancelledError"), ({"JOB_EXECUTION_DEADLINE": "3s"}, "JobDeadlineError")],
    )
    def test_early_end(
        self, program: StartProgram, installed: Installed, environ: dict[str, str], error: str
    ) -> None:
        """An execution that was ended is told as that, not as CancelledError."""
        job = program(WAITING, {**around(installed), **environ}, head='PLUGINS = ("span",)')
        job.until("at work")
        if not environ:
            job.signal()

        assert job.code() == 1
        assert said(job)[-1] == f"left span with {error}"

    @pytest.mark.parametrize(
        ("fault", "text"),
        [
            ({"entering": "raise OSError('no route')"}, "was not entered: no route"),
            ({"giving": "raise OSError('no route')"}, "msp_job_execution raised OSError"),
            ({"giving": "return 42"}, "msp_job_execution returned a value of type int"),
            ({"leaving": "raise OSError('no route')"}, 'close "span execution": no route'),
        ],
    )
    def test_fault(
        self, program: StartProgram, installed: Installed, fault: dict[str, str], text: str
    ) -> None:
        """A plugin that fails around the execution is a warning; the job has its own outcome."""
        environ = around(installed, **fault)  # type: ignore[arg-type]
        job = program(WELL, environ, head='PLUGINS = ("span",)')

        assert job.code() == 0
        (line,) = [line for line in job.lines if line["SeverityText"] == "WARN"]
        assert text in line["Body"]
        assert job.line("execution succeeded")["summary"] == {"rows": 3}

    def test_nothing(self, program: StartProgram, installed: Installed) -> None:
        """A plugin that has nothing to put around this execution returns None."""
        job = program(WELL, around(installed, giving="pass"), head='PLUGINS = ("span",)')

        assert job.code() == 0
        assert not said(job)

    def test_slow_to_enter(self, program: StartProgram, installed: Installed) -> None:
        """A plugin that is slow to be entered does not hold up the job."""
        environ = around(installed, entering="await asyncio.Event().wait()")
        head = """
        import msp_core._jobs.contexts as contexts
        contexts.ENTER_LIMIT = 0.1
        PLUGINS = ("span",)
        """
        job = program(WELL, environ, head=head)

        assert job.code() == 0
        assert "is not entered after 0.1 s, the job goes on without it" in job.stderr

    def test_hangs_when_left(self, program: StartProgram, installed: Installed) -> None:
        """A plugin that does not let itself be left is named; the exit code stays the job's."""
        leaving = "await asyncio.to_thread(__import__('time').sleep, 1000)"
        environ = {**around(installed, leaving=leaving), "MSP_SHUTDOWN_BUDGET": "1s"}
        job = program(WELL, environ, head='PLUGINS = ("span",)')

        assert job.code() == 0
        assert '"span execution" did not close in time' in job.errors()
        assert job.ledger()["exit_code"] == 0

    def test_start_that_fails_later(self, program: StartProgram, installed: Installed) -> None:
        """What was entered is left with the reason when the start is overtaken by a signal."""
        around(installed, "one")
        entering = "log.info('entering'); await asyncio.Event().wait()"
        environ = around(installed, "two", entering=entering)
        job = program(WELL, environ, head='PLUGINS = ("one", "two")')

        assert job.stop(after="entering") == 1
        assert said(job)[-1] == "left one with JobCancelledError"
