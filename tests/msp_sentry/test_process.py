"""Sentry in a whole process: what ends it is an event, exactly one, and has arrived."""

from __future__ import annotations

import pytest

from msp_sentry._receiver.server import Receiver
from tests.msp_core.program import Program
from tests.msp_sentry.conftest import Run, only


def test_failing_start(run: Run, receiver: Receiver) -> None:
    """What msp_initialize raises is one event."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            raise LookupError("no such table")
        """
    )

    assert service.code() == 1
    assert only(receiver)["exception"]["values"][-1]["value"] == "no such table"


def test_routine_that_dies(run: Run, receiver: Receiver) -> None:
    """What ends a routine is one event, with the name that the log line has."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("worker", start=self.work)
        async def work(self):
            await asyncio.sleep(0.05)
            raise OSError("disk on fire")
        """
    )

    assert service.code() == 1
    event = only(receiver)
    assert event["logger"] == "msp.start"
    assert event["logentry"]["formatted"].endswith('routine "worker" failed: disk on fire')
    assert event["server_name"] == service.lines[0]["Resource"]["service.instance.id"]


def test_routine_that_fails_to_stop(run: Run, receiver: Receiver) -> None:
    """What goes wrong during the stop is an event too: Sentry is closed last."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("untidy", stop=self.stop)
        async def stop(self, deadline):
            raise OSError("cannot flush")
        """
    )

    assert service.stop() == 1
    assert only(receiver)["exception"]["values"][0]["value"] == "cannot flush"


def test_task_and_thread(run: Run, receiver: Receiver) -> None:
    """What nobody catches in a task or a thread is one event each."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            asyncio.get_running_loop().create_task(self.task())
            thread = threading.Thread(target=self.thread)
            thread.start()
            await asyncio.to_thread(thread.join)
            return CallbackRoutine("idle")
        async def task(self):
            raise OSError("in a task")
        def thread(self):
            raise OSError("in a thread")
        """
    )

    assert service.stop() == 0
    values = [each["exception"]["values"][0] for each in receiver.kept.payloads("event")]
    assert sorted(each["value"] for each in values) == ["in a task", "in a thread"]
    assert not any(each["mechanism"]["handled"] for each in values)


IDLE = """
    @hookimpl
    async def msp_initialize(self, contract):
        return CallbackRoutine("idle")
"""


def test_config_problems(run: Run, receiver: Receiver) -> None:
    """Problems of the configuration are one event, which shows no value."""
    values = {"PORT": "eighty-hundred", "MSP_SHUTDOWN_BUDGET": "a-while", "ENVIRONMENT_ID": "prod"}
    service = run(IDLE, **values)

    assert service.code() == 78
    event = only(receiver)
    assert event["level"] == "fatal"
    assert event["environment"] == "prod"
    assert event["tags"]["resource.service.name"] == "probe"
    text = event["exception"]["values"][-1]["value"]
    assert "PORT" in text
    assert "MSP_SHUTDOWN_BUDGET" in text
    assert "eighty-hundred" not in str(event)


def warnings_of(program: Program, variable: str) -> list[str]:
    """Return the texts of its warnings that name a variable; it has no other line that does."""
    lines = [line for line in program.lines if variable in line["Body"]]
    assert {line["SeverityText"] for line in lines} <= {"WARN"}
    return [line["Body"] for line in lines]


@pytest.mark.parametrize("dsn", ["", "ftp://nobody-knows"])
def test_config_problems_without_sentry(run: Run, receiver: Receiver) -> None:
    """With a malformed DSN the problems are log lines, and the DSN is warned of once."""
    service = run(IDLE, PORT="eighty-hundred")

    assert service.code() == 78
    assert "PORT" in "".join(service.errors())
    assert len(warnings_of(service, "SENTRY_DSN")) == 1
    assert "nobody-knows" not in service.stderr
    assert receiver.kept.counts() == {}


def test_config_problems_with_a_wrong_rate(run: Run, receiver: Receiver) -> None:
    """A rate that will not do keeps no failed start from being reported; it is warned of once."""
    service = run(IDLE, PORT="eighty-hundred", SENTRY_SAMPLE_RATE="rarely")

    assert service.code() == 78
    assert "PORT" in only(receiver)["exception"]["values"][-1]["value"]
    assert len(warnings_of(service, "SENTRY_SAMPLE_RATE")) == 1


@pytest.mark.parametrize("dsn", ["", "ftp://nobody-knows", "https://key@host:none/1", "nonsense"])
@pytest.mark.parametrize("needs", ["()", "(Sentry,)"])
def test_malformed_dsn(run: Run, receiver: Receiver, needs: str) -> None:
    """A malformed DSN does not keep a service from starting: one warning, without the DSN."""
    service = run(
        f"""
        from msp_sentry import Sentry
        needs = {needs}
        @hookimpl
        async def msp_initialize(self, contract):
            from msp_sentry import Sentry
            print(contract[Sentry].enabled, contract[Sentry].client().is_active())
            logging.getLogger("probe").error("wrong", exc_info=OSError())
            return CallbackRoutine("idle")
        """
    )

    assert service.stop() == 0
    assert service.stdout == "False False\n"
    assert service.line("service started")["sentry"] is False
    (line,) = warnings_of(service, "SENTRY_DSN")
    assert "expected https://key@host/project" in line or "unset it to do without" in line
    assert "nobody-knows" not in service.stderr


def test_wrong_rate(run: Run, receiver: Receiver) -> None:
    """A rate that will not do is one warning, and errors are reported by its default."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            logging.getLogger("probe").error("wrong", exc_info=OSError())
            return CallbackRoutine("idle")
        """,
        SENTRY_SAMPLE_RATE="1.5",
    )

    assert service.stop() == 0
    assert only(receiver)["logger"] == "probe"
    (line,) = warnings_of(service, "SENTRY_SAMPLE_RATE")
    assert "expected a number from 0 to 1" in line
    assert "1.5" not in line


@pytest.mark.usefixtures("receiver")
def test_start_line(run: Run) -> None:
    """The first line of a service tells whether its errors are reported."""
    service = run(IDLE)

    assert service.stop() == 0
    assert service.line("service started")["sentry"] is True


def test_no_opentelemetry(run: Run, receiver: Receiver) -> None:
    """With Sentry alone nothing of OpenTelemetry is imported."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            logging.getLogger("probe").error("wrong", exc_info=OSError())
            print([name for name in sys.modules if name.startswith("opentelemetry")])
            return CallbackRoutine("idle")
        """
    )

    assert service.stop() == 0
    assert service.stdout == "[]\n"
    assert only(receiver)["exception"]["values"][0]["type"] == "OSError"


def test_with_opentelemetry(run: Run, receiver: Receiver) -> None:
    """An error inside a real span of OpenTelemetry names that span, not Sentry's own trace."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            from opentelemetry.sdk.trace import TracerProvider
            with TracerProvider().get_tracer("probe").start_as_current_span("work") as span:
                logging.getLogger("probe").error("wrong", exc_info=OSError())
            context = span.get_span_context()
            print(f"{context.trace_id:032x} {context.span_id:016x}")
            return CallbackRoutine("idle")
        """,
        SENTRY_TRACES_SAMPLE_RATE="1",
    )

    assert service.stop() == 0
    trace = only(receiver)["contexts"]["trace"]
    assert service.stdout.split() == [trace["trace_id"], trace["span_id"]]


def test_burst_before_the_stop(run: Run, receiver: Receiver) -> None:
    """Every event of a burst has arrived when the process is gone."""
    service = run(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            for number in range(200):
                logging.getLogger("probe").error("%d", number, exc_info=OSError(number))
            return CallbackRoutine("idle")
        """
    )

    assert service.stop() == 0
    assert len(receiver.kept.payloads("event")) == 200


SCHEDULE = {"JOB_EXECUTION_CRON_SCHEDULE": "0 3 * * *", "JOB_EXECUTION_DEADLINE": "10m"}


def test_job(run: Run, receiver: Receiver) -> None:
    """A job that succeeds has checked in, and out, under the id of its execution."""
    job = run(
        """
        @hookimpl
        def msp_execute(self, contract):
            print(contract.execution.id)
        """,
        **SCHEDULE,
    )

    assert job.code() == 0
    first, last = receiver.kept.payloads("check_in")
    assert (first["status"], last["status"]) == ("in_progress", "ok")
    assert first["check_in_id"] == last["check_in_id"] == job.stdout.strip()
    assert not [line for line in job.lines if line["InstrumentationScope"] == "msp.job.checkin"]
    assert job.line("execution succeeded")["useSentryCronMonitor"] is True


@pytest.mark.parametrize("dsn", ["", "ftp://nobody-knows"])
def test_job_with_a_malformed_dsn(run: Run) -> None:
    """A malformed DSN fails no job; it is warned of once, and the job is not monitored."""
    job = run(
        """
        @hookimpl
        def msp_execute(self, contract):
            pass
        """,
        **SCHEDULE,
    )

    assert job.code() == 0
    assert len(warnings_of(job, "SENTRY_DSN")) == 1
    assert job.line("execution succeeded")["useSentryCronMonitor"] is False


def test_job_that_fails(run: Run, receiver: Receiver) -> None:
    """A job that fails is one event, and a check-in that says so."""
    job = run(
        """
        @hookimpl
        async def msp_execute(self, contract):
            raise LookupError("no such table")
        """,
        **SCHEDULE,
    )

    assert job.code() == 1
    assert only(receiver)["exception"]["values"][-1]["value"] == "no such table"
    assert receiver.kept.payloads("check_in")[-1]["status"] == "error"


def test_job_that_is_cancelled(run: Run, receiver: Receiver) -> None:
    """A job that a signal ends checks in before the process is gone."""
    job = run(
        """
        @hookimpl
        async def msp_execute(self, contract):
            print("at work", flush=True)
            await asyncio.Event().wait()
        """,
        **SCHEDULE,
    )

    assert job.stop(after="at work") != 0
    assert receiver.kept.payloads("check_in")[-1]["status"] == "error"


def test_job_without_schedule(run: Run, receiver: Receiver) -> None:
    """A job that is started by hand is not monitored."""
    job = run(
        """
        @hookimpl
        def msp_execute(self, contract):
            pass
        """
    )

    assert job.code() == 0
    assert receiver.kept.counts() == {}
    assert job.line("execution succeeded")["useSentryCronMonitor"] is False
