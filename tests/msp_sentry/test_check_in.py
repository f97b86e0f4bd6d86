"""Check-ins of jobs, usable in any program."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from msp_core import JobCancelledError, JobDeadlineError
from msp_sentry import check_in, start_check_in
from msp_sentry._monitor import Monitor
from msp_sentry._receiver.server import Receiver
from tests.msp_sentry.conftest import note_waits

JOB: dict[str, Any] = {"service": "nightly", "version": "1.2.3"}

CheckIns = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def environ(dsn: str) -> dict[str, str]:
    """Give the variables of a job that is monitored."""
    return {
        "SENTRY_DSN": dsn,
        "ENVIRONMENT_ID": "prod",
        "JOB_EXECUTION_CRON_SCHEDULE": "0 3 * * *",
        "JOB_EXECUTION_DEADLINE": "10m1s",
    }


@pytest.fixture
def check_ins(receiver: Receiver) -> CheckIns:
    """Give a function that returns the check-ins that arrived."""
    return lambda: receiver.kept.payloads("check_in")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Give a function that returns the lines of check-ins."""
    caplog.set_level(logging.INFO)
    return lambda: [each for each in caplog.records if each.name == "msp.job.checkin"]


class TestSent:
    """What Sentry learns."""

    async def test_success(self, environ: dict[str, str], check_ins: CheckIns) -> None:
        """The first and the last check-in have one id and tell what the monitor is."""
        async with check_in(environ, **JOB) as started:
            pass

        first, last = check_ins()
        assert uuid.UUID(started.execution_id).version == 7
        assert first["check_in_id"] == last["check_in_id"] == started.execution_id
        assert first["monitor_slug"] == last["monitor_slug"] == "nightly-prod"
        assert (first["status"], last["status"]) == ("in_progress", "ok")
        assert first["duration"] is None
        assert last["duration"] >= 0
        assert (last["release"], last["environment"]) == ("1.2.3", "prod")
        assert last["server_name"] == uuid.UUID(started.execution_id).hex
        assert (
            first["monitor_config"]
            == last["monitor_config"]
            == {
                "schedule": {"type": "crontab", "value": "0 3 * * *"},
                "checkin_margin": 6,
                "max_runtime": 11,
                "timezone": "Etc/UTC",
            }
        )

    def test_process_is_named(self, environ: dict[str, str], check_ins: CheckIns) -> None:
        """The id that the process has in its log lines is the check-in's server."""
        with check_in(environ, instance_id="i-1", **JOB):
            pass

        assert {each["server_name"] for each in check_ins()} == {"i-1"}

    def test_plain(self, environ: dict[str, str], check_ins: CheckIns) -> None:
        """Plain code has the same."""
        with check_in(environ, **JOB):
            pass

        assert [each["status"] for each in check_ins()] == ["in_progress", "ok"]

    async def test_failure(self, environ: dict[str, str], check_ins: CheckIns) -> None:
        """An exception that leaves the block fails the execution and passes through."""
        with pytest.raises(OSError, match="disk"):
            async with check_in(environ, **JOB):
                raise OSError("disk on fire")

        assert [each["status"] for each in check_ins()] == ["in_progress", "error"]

    @pytest.mark.parametrize(("code", "status"), [(None, "ok"), (0, "ok"), (3, "error")])
    def test_exit(
        self, environ: dict[str, str], check_ins: CheckIns, code: int | None, status: str
    ) -> None:
        """A job that leaves by sys.exit has the outcome its code says."""
        with pytest.raises(SystemExit), check_in(environ, **JOB):
            sys.exit(code)

        assert check_ins()[-1]["status"] == status

    async def test_started_by_hand(self, environ: dict[str, str], check_ins: CheckIns) -> None:
        """Where no block fits, start and finish are calls; only the first finish counts."""
        started = start_check_in(environ, execution_id=str(uuid.uuid4()), **JOB)
        await started.finish_async()
        await started.finish_async(OSError())
        started.finish(OSError())

        assert [each["status"] for each in check_ins()] == ["in_progress", "ok"]

    async def test_trace(self, environ: dict[str, str], check_ins: CheckIns) -> None:
        """Check-ins name OpenTelemetry's span, when there is one."""
        tracer = TracerProvider(shutdown_on_exit=False).get_tracer("probe")
        with tracer.start_as_current_span("span") as span:
            async with check_in(environ, **JOB):
                pass
        async with check_in(environ, **JOB):
            pass

        first, last, *outside = check_ins()
        context = span.get_span_context()
        named = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        assert first["contexts"]["trace"].items() >= named.items()
        assert last["contexts"]["trace"].items() >= named.items()
        assert named["trace_id"] not in str(outside)


@pytest.mark.parametrize(
    ("deadline", "runtime", "margin"), [(0, 1, 1), (60, 1, 1), (61, 2, 1), (120, 2, 1), (180, 3, 2)]
)
def test_minutes(deadline: float, runtime: int, margin: int) -> None:
    """Times are whole minutes, rounded up, at least 1; the margin is half of the deadline."""
    config = Monitor(slug="x", schedule="* * * * *", deadline=deadline).config()

    assert (config["max_runtime"], config["checkin_margin"]) == (runtime, margin)


class TestLogged:
    """What the log tells, with Sentry and without."""

    async def test_success(
        self, environ: dict[str, str], lines: Callable[[], list[logging.LogRecord]]
    ) -> None:
        """The start and the outcome are a line each, with the fields that Go services have."""
        async with check_in(environ, **JOB) as started:
            pass

        first, last = [vars(line) for line in lines()]
        assert (first["msg"], last["msg"]) == ("starting", "succeeded")
        assert first["executionID"] == last["executionID"] == started.execution_id
        assert first["useSentryCronMonitor"] is True
        assert first["cronSchedule"] == "0 3 * * *"
        assert first["cronDeadline"] == 601
        assert last["duration"] >= 0

    def test_duration(
        self,
        lines: Callable[[], list[logging.LogRecord]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """How long it took is told in seconds, to the millisecond."""
        times = iter([1000.0, 1001.0, 1003.34567])
        clock = SimpleNamespace(monotonic=lambda: next(times))
        monkeypatch.setattr("msp_sentry._check_in.time", clock)
        with check_in({}, **JOB):
            pass

        assert vars(lines()[-1])["duration"] == 2.346

    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (OSError("disk"), "failed"),
            (TimeoutError(), "failed: out of time"),
            (JobDeadlineError(), "failed: out of time"),
            (JobCancelledError(), "failed: cancelled"),
            (asyncio.CancelledError(), "failed: cancelled"),
            (KeyboardInterrupt(), "failed: cancelled"),
        ],
    )
    def test_failure(
        self, lines: Callable[[], list[logging.LogRecord]], error: BaseException, text: str
    ) -> None:
        """A failure says at once whether it ran out of time, was stopped, or is broken."""
        start_check_in({}, **JOB).finish(error)

        last = vars(lines()[-1])
        assert (last["levelno"], last["msg"]) == (logging.ERROR, text)
        assert last["error"].startswith(type(error).__name__)
        assert last["duration"] >= 0

    @pytest.mark.parametrize(
        "missing", ["SENTRY_DSN", "JOB_EXECUTION_CRON_SCHEDULE", "JOB_EXECUTION_DEADLINE"]
    )
    def test_missing(
        self,
        environ: dict[str, str],
        check_ins: CheckIns,
        caplog: pytest.LogCaptureFixture,
        lines: Callable[[], list[logging.LogRecord]],
        missing: str,
    ) -> None:
        """Without any of the three variables there are the lines, and no check-in."""
        del environ[missing]
        with check_in(environ, **JOB) as started:
            assert not started.monitored

        assert caplog.messages == ["starting", "succeeded"]
        assert lines()[0].useSentryCronMonitor is False  # type: ignore[attr-defined]
        assert check_ins() == []

    @pytest.mark.parametrize(
        ("name", "value", "level"),
        [
            ("JOB_EXECUTION_DEADLINE", "soon", logging.ERROR),
            ("SENTRY_DSN", "ftp://nobody", logging.WARNING),
        ],
    )
    def test_wrong(
        self,
        environ: dict[str, str],
        caplog: pytest.LogCaptureFixture,
        check_ins: CheckIns,
        name: str,
        value: str,
        level: int,
    ) -> None:
        """A wrong variable is a line, and no reason for the job to fail."""
        with check_in({**environ, name: value}, **JOB) as started:
            assert not started.monitored

        (line,) = [each for each in caplog.records if each.levelno > logging.INFO]
        assert (line.levelno, line.variable) == (level, name)  # type: ignore[attr-defined]
        assert name in line.getMessage()
        assert value not in caplog.text
        assert check_ins() == []


class TestOutage:
    """A Sentry that does not work."""

    @pytest.mark.parametrize("asynchronous", [True, False])
    async def test_hanging(
        self,
        environ: dict[str, str],
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    ) -> None:
        """A Sentry that hangs does not hold up the end of a job, whose outcome is logged."""
        monkeypatch.setattr("msp_sentry._check_in.FLUSH", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            started = start_check_in(
                {**environ, "SENTRY_DSN": f"http://k@127.0.0.1:{port}/1"}, **JOB
            )
            held = started._client
            assert held is not None
            with held.transport._worker._lock:  # type: ignore[union-attr]  # what a flush waits for
                if asynchronous:
                    await started.finish_async()
                else:
                    started.finish()
            (lost,) = [line for line in caplog.records if line.name == "msp.sentry"]

        assert "events or check-ins are lost" in lost.getMessage()
        assert lost.reason == "stop"  # type: ignore[attr-defined]

    @pytest.mark.parametrize("asynchronous", [True, False])
    async def test_patience(
        self,
        environ: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        asynchronous: bool,  # noqa: FBT001 - a parameter of the test
    ) -> None:
        """The end of an execution waits for its check-in for a second; the SDK for one more."""
        started = start_check_in(environ, **JOB)
        client = started._client
        assert client is not None
        waits = note_waits(monkeypatch, client)
        if asynchronous:
            await started.finish_async()
        else:
            started.finish()

        (seconds,) = waits
        assert 1.0 < seconds <= 2.0

    def test_broken_sdk(
        self,
        environ: dict[str, str],
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Whatever the SDK raises is a warning."""
        started = check_in(environ, **JOB)

        def fail(event: object) -> None:
            raise OSError("secret host")

        monkeypatch.setattr(started._client, "capture_event", fail)
        with started:
            pass

        assert caplog.text.count("check-in was not sent") == 2
        assert "secret host" not in caplog.text
