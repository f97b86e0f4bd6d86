"""Jobs: every way an execution starts, ends and is ended, seen from outside."""

from __future__ import annotations

import signal
import textwrap

import pytest

from tests.msp_core.installed import Installed
from tests.msp_core.program import Program, StartProgram

WELL = """
@hookimpl
async def msp_execute(self, contract):
    return {"rows": 3}
"""

WAITING = """
@hookimpl
async def msp_execute(self, contract):
    logging.getLogger("probe").info("at work")
    await asyncio.Event().wait()
"""

POLLING = """
@hookimpl
def msp_execute(self, contract):
    logging.getLogger("probe").info("at work")
    while not contract.execution.cancelled:
        time.sleep(0.005)
"""

AROUND = """
import asyncio, contextvars, logging
from contextlib import asynccontextmanager
from msp_core import *

log = logging.getLogger("around")
span = contextvars.ContextVar("span", default="none")

@hookimpl
def msp_integration():
    return Integration(name="{name}", config=Config, client=Client, open=open_client,
                       telemetry={telemetry})

import attrs
@attrs.frozen
class Config:
    url: str = env("{name}_URL")
class Client: ...
def open_client(config, contract): ...

class Around:
    async def __aenter__(self):
        {entering}
        log.info("entered {name}")
        span.set("{name}")
    async def __aexit__(self, kind, error, trace):
        log.info("left {name} with %s", kind and kind.__name__)
        {leaving}

@hookimpl
def msp_job_execution(contract, execution):
    {giving}
"""


def around(
    installed: Installed,
    name: str = "span",
    *,
    entering: str = "pass",
    leaving: str = "pass",
    giving: str = "return Around()",
    telemetry: bool = False,
) -> dict[str, str]:
    """Install a plugin that wraps executions; return the variables of a program that sees it."""
    parts = {"name": name, "entering": entering, "leaving": leaving, "giving": giving}
    source = AROUND.replace("{telemetry}", str(telemetry))
    for key, text in parts.items():
        source = source.replace(f"{{{key}}}", text)
    installed.plugin(name, source)
    return {"PYTHONPATH": str(installed.folder)}


def said(job: Program, scope: str = "around") -> list[str]:
    """Return the lines of one logger."""
    return [line["Body"] for line in job.lines if line["InstrumentationScope"] == scope]


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


OPENING = """
import asyncio, logging
from contextlib import asynccontextmanager
import attrs
from msp_core import Integration, env, hookimpl

@attrs.frozen
class Config:
    url: str = env("SLOW_URL", help="where it is")
class Client: ...

@asynccontextmanager
async def open_client(config, contract):
    logging.getLogger("probe").info("opening")
    {opening}
    yield Client()
    {closing}

@hookimpl
def msp_integration():
    return Integration(name="slow", config=Config, client=Client, open=open_client)
"""


def slow(installed: Installed, opening: str = "pass", closing: str = "pass") -> dict[str, str]:
    """Install a plugin with a resource; return the variables of a program that opens it."""
    source = OPENING.replace("{opening}", opening).replace("{closing}", closing)
    installed.plugin("slow", source)
    return {"PYTHONPATH": str(installed.folder), "SLOW_URL": "x"}


class TestResources:
    def test_signal_while_opening(self, program: StartProgram, installed: Installed) -> None:
        """A signal before the work began is a cancelled execution: exit 1, not 0."""
        environ = slow(installed, opening="await asyncio.Event().wait()")
        job = program(WELL, environ, head='PLUGINS = ("slow",)')

        assert job.stop(after="opening") == 1
        assert job.line("execution cancelled by SIGTERM")["level"] == "WARN"
        assert "execution starting" not in job.stderr

    def test_failing_to_open(self, program: StartProgram, installed: Installed) -> None:
        """A resource that cannot be opened is a failed start: exit 1, nothing was executed."""
        environ = slow(installed, opening="raise OSError('no such host')")
        job = program(WELL, environ, head='PLUGINS = ("slow",)')

        assert job.code() == 1
        assert "job failed to start: no such host" in job.errors()
        assert "execution" not in job.ledger()["reason"]

    def test_failing_to_close(self, program: StartProgram, installed: Installed) -> None:
        """What is lost while closing is not hidden by the job's success: exit 1."""
        environ = slow(installed, closing="raise OSError('rows lost')")
        job = program(WELL, environ, head='PLUGINS = ("slow",)')

        assert job.code() == 1
        assert "execution succeeded" in job.stderr
        assert 'stop failed: close "slow": rows lost' in job.errors()


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


LOCK = """
import asyncio, logging
from msp_core import *
log = logging.getLogger("lock")

class Lock:
    def __init__(self, name):
        self.name, self.lost = name, asyncio.Event()
    async def __aenter__(self):
        {taking}
        log.info("took %s", self.name)
        return self.lost
    async def __aexit__(self, kind, error, trace):
        log.info("released %s", self.name)
        {releasing}

@hookimpl
def msp_job_lock(contract, name):
    {giving}
"""


def lock(
    installed: Installed,
    name: str = "locks",
    *,
    taking: str = "pass",
    releasing: str = "return True",
    giving: str = "return Lock(name)",
) -> dict[str, str]:
    """Install a plugin that gives locks; return the variables of a program that asks for one."""
    source = LOCK
    for key, text in {"taking": taking, "releasing": releasing, "giving": giving}.items():
        source = source.replace(f"{{{key}}}", text)
    installed.plugin(name, source)
    return {"PYTHONPATH": str(installed.folder)}


LOCKED = 'lock = "nightly"\n'
LOCKS = 'PLUGINS = ("locks",)'


class TestLock:
    def test_held_by_this(self, program: StartProgram, installed: Installed) -> None:
        """The lock is taken before the work and released after it, also when that fails."""
        body = LOCKED + WELL.replace("return", "raise LookupError('x') #")
        job = program(body, lock(installed), head=LOCKS)

        assert job.code() == 1
        assert said(job, "lock") == ["took nightly", "released nightly"]
        assert "execution failed: x" in job.errors()

    def test_held_by_another(self, program: StartProgram, installed: Installed) -> None:
        """A second execution says so and leaves with 0; what is around it sees no failure."""
        lock(installed, taking="raise LockHeldError('lock x is held', lock='x')")
        head = 'PLUGINS = ("locks", "span")'
        job = program(LOCKED + WELL, around(installed), head=head)

        assert job.code() == 0
        assert job.line("execution skipped: lock x is held")["level"] == "INFO"
        assert said(job)[-1] == "left span with None"
        assert job.ledger()["reason"] == "held lock"

    def test_fails(self, program: StartProgram, installed: Installed) -> None:
        """A lock that cannot be asked for fails the execution: nobody knows who else works."""
        environ = lock(installed, taking="raise OSError('no such host')")
        job = program(LOCKED + WELL, environ, head=LOCKS)

        assert job.code() == 1
        assert "execution failed: no such host" in job.errors()

    def test_not_released(self, program: StartProgram, installed: Installed) -> None:
        """A lock that is not released in order is a warning; the work is done."""
        environ = lock(installed, releasing="raise OSError('gone')")
        job = program(LOCKED + WELL, environ, head=LOCKS)

        assert job.code() == 0
        assert job.line("lock 'nightly' was not released: gone")["level"] == "WARN"

    def test_lost(self, program: StartProgram, installed: Installed) -> None:
        """An execution that lost its lock is cancelled: another one may have begun."""
        taking = "asyncio.get_running_loop().call_later(0.1, self.lost.set)"
        job = program(LOCKED + WAITING, lock(installed, taking=taking), head=LOCKS)

        assert job.code() == 1
        assert job.line("execution cancelled by the loss of lock 'nightly'")["level"] == "WARN"

    def test_of_a_task(self, program: StartProgram, installed: Installed) -> None:
        """Tasks of one execution work side by side: each has a lock of its own."""
        environ = {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "10"}
        job = program(LOCKED + WELL, {**lock(installed), **environ}, head=LOCKS)

        assert job.code() == 0
        assert said(job, "lock")[0] == "took nightly/3"

    def test_first_that_is_given(self, program: StartProgram, installed: Installed) -> None:
        """A plugin that has no locks to give leaves them to the next."""
        lock(installed, "none", giving="pass")
        job = program(LOCKED + WELL, lock(installed), head='PLUGINS = ("none", "locks")')

        assert job.code() == 0
        assert said(job, "lock")[0] == "took nightly"

    def test_not_given(self, program: StartProgram) -> None:
        """Without a plugin that gives locks the job is told which one to add."""
        job = program(LOCKED + WELL)

        assert job.code() == 2
        (error,) = [text for text in job.errors() if text.startswith("execution failed")]
        assert "'msp-core[cloudsql]'" in error

    @pytest.mark.parametrize("name", ['""', "42"])
    def test_no_name(self, program: StartProgram, name: str) -> None:
        """A lock whose name is no text is a mistake in the job."""
        job = program(f"lock = {name}\n" + textwrap.dedent(WELL))

        assert job.code() == 2
        assert "its attribute `lock` is no name" in job.stderr
