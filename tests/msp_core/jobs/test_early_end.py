"""A job whose end is asked for before it is done."""

from __future__ import annotations

import signal

import pytest

from tests.msp_core.job_sources import WAITING, WELL
from tests.msp_core.program import StartProgram

POLLING = """
@hookimpl
def msp_execute(self, contract):
    logging.getLogger("probe").info("at work")
    while not contract.execution.cancelled:
        time.sleep(0.005)
"""


class TestEarlyEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_coroutine(self, program: StartProgram, number: signal.Signals) -> None:
        """A signal cancels `async` code where it waits; that is a warning, and exit 1."""
        job = program(WAITING)
        job.until("at work")
        job.signal(number)

        assert job.code() == 1
        line = job.line(f"execution cancelled by {number.name}")
        assert (line["level"], line["trace"]) == ("WARN", "")
        assert job.ledger()["reason"] == number.name

    def test_plain_code(self, program: StartProgram) -> None:
        """Plain code sees that it is cancelled; its return then counts as cancelled, too."""
        job = program(POLLING)

        assert job.stop(after="at work") == 1
        assert job.line("execution cancelled by SIGTERM")["level"] == "WARN"
        assert "execution succeeded" not in job.stderr

    def test_cleanup_that_fails(self, program: StartProgram) -> None:
        """What a job raises while it is being cancelled is logged with its traceback."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                logging.getLogger("probe").info("at work")
                try:
                    await asyncio.Event().wait()
                finally:
                    raise OSError("cannot roll back")
            """
        )

        assert job.stop(after="at work") == 1
        assert "cannot roll back" in job.line("execution cancelled by SIGTERM")["trace"]

    def test_permanent_failure(self, program: StartProgram) -> None:
        """That a retry is pointless stays true when the job was cancelled meanwhile."""
        job = program(
            """
            @hookimpl
            def msp_execute(self, contract):
                logging.getLogger("probe").info("at work")
                while not contract.execution.cancelled:
                    time.sleep(0.005)
                raise PermanentError("no use")
            """
        )

        assert job.stop(after="at work") == 65
        assert "execution failed for good: no use" in job.errors()

    def test_deadline(self, program: StartProgram) -> None:
        """Near its deadline a job is ended, with where it was; a margin is left: exit 1."""
        job = program(WAITING, {"JOB_EXECUTION_DEADLINE": "3s"})

        assert job.code() == 1
        line = job.line("execution exceeded its deadline")
        assert line["level"] == "ERROR"
        assert "in msp_execute" in line["trace"]
        assert line["seconds"] < job.line("execution starting")["time_limit"] == 3
        assert job.ledger()["reason"] == "deadline"

    def test_deadline_is_not_reached(self, program: StartProgram) -> None:
        """A job that is done in time is not held up by its deadline."""
        job = program(WELL, {"JOB_EXECUTION_DEADLINE": "1000s"})

        assert job.code() == 0

    def test_stuck_loop_sees_the_deadline(self, program: StartProgram) -> None:
        """A coroutine that blocks the event loop still learns that its time is over."""
        job = program(POLLING.replace("def", "async def"), {"JOB_EXECUTION_DEADLINE": "3s"})

        assert job.code() == 1
        assert "execution exceeded its deadline" in job.errors()

    def test_hanging_coroutine(self, program: StartProgram) -> None:
        """A coroutine that does not end is named with its stack; exit 70."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                logging.getLogger("probe").info("at work")
                while True:
                    try:
                        await self.deeper()
                    except asyncio.CancelledError:
                        pass
            async def deeper(self):
                await asyncio.Event().wait()
            """,
            {"MSP_SHUTDOWN_BUDGET": "1s"},
        )

        assert job.stop(after="at work") == 70
        assert "in deeper" in job.line("execution did not end in time")["stack"]
        assert job.ledger()["steps"][0]["outcome"] == "hung"

    def test_hanging_thread(self, program: StartProgram) -> None:
        """Plain code that never looks whether it is cancelled is named with its stack; exit 70."""
        job = program(
            """
            @hookimpl
            def msp_execute(self):
                logging.getLogger("probe").info("at work")
                self.forever()
            def forever(self):
                while True:
                    time.sleep(0.005)
            """,
            {"MSP_SHUTDOWN_BUDGET": "1s"},
        )

        assert job.stop(after="at work") == 70
        assert "in forever" in job.line("execution did not end in time")["stack"]

    def test_stuck_event_loop(self, program: StartProgram) -> None:
        """A coroutine that blocks the event loop for good is ended before the platform's kill."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                while True:
                    time.sleep(0.005)
            """,
            {"JOB_EXECUTION_DEADLINE": "1s"},
        )

        assert job.code() == 70
        assert "in msp_execute" in job.stderr

    def test_second_signal(self, program: StartProgram) -> None:
        """A second signal leaves at once, and not with 0: the work is not done."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self):
                try:
                    logging.getLogger("probe").info("at work")
                    await asyncio.Event().wait()
                finally:
                    logging.getLogger("probe").info("cleaning up")
                    await asyncio.Event().wait()
            """
        )
        job.until("at work")
        job.signal()
        job.until("cleaning up")
        job.signal(signal.SIGINT)

        assert job.code() == 1
        assert "second signal SIGINT: leaving at once with 1" in job.stderr
