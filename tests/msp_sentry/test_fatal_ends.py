"""Every way a process fails is exactly one event, with a title that a person understands."""

from __future__ import annotations

import socket
from typing import Any

import attrs
import pytest

from msp_sentry._receiver.server import Receiver
from tests.msp_sentry.conftest import Run, only


@attrs.frozen(kw_only=True)
class End:
    """One way to fail.

    Attributes:
        body: of the class `Service`.
        title: of the event.
        code: that the process leaves with.
        after: what it has printed before it gets SIGTERM; None for one that fails by itself.
        variables: of the process.
        cause: type of the innermost exception; None when the event has only one.
    """

    body: str
    title: str
    code: int = 1
    after: str | None = None
    variables: dict[str, str] = attrs.field(factory=dict)
    cause: str | None = None


def starting(*lines: str) -> str:
    """Return a service that does that when it is initialised."""
    inside = "\n            ".join(lines)
    return f"""
        @hookimpl
        async def msp_initialize(self, contract):
            {inside}
        """


def working(*lines: str) -> str:
    """Return a service whose routine does that."""
    inside = "\n            ".join(lines)
    return f"""
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("worker", start=self.work)
        async def work(self):
            {inside}
        """


def stopping(routine: str, *lines: str) -> str:
    """Return a service whose routine does that when it is stopped."""
    inside = "\n            ".join(lines)
    return f"""
        @hookimpl
        async def msp_initialize(self, contract):
            return {routine}
        async def stop(self, deadline):
            {inside}
        """


def executing(*lines: str) -> str:
    """Return a job that does that."""
    inside = "\n            ".join(lines)
    return f"""
        @hookimpl
        async def msp_execute(self, contract):
            {inside}
        """


def serving(*lines: str) -> str:
    """Return a service whose ASGI application is that."""
    inside = "\n            ".join(lines)
    return f"""
        @hookimpl
        async def msp_initialize(self, contract):
            from msp_core.http import HTTPServer
            return HTTPServer(self.app, contract, interface="asgi")
        async def app(self, scope, receive, send):
            {inside}
        """


PROBLEM = 'ConfigError([Problem(variable="THEME", owner="service", wrong="is missing")])'
STUBBORN = (
    "print('at work', flush=True)",
    "while True:",
    "    try: await asyncio.Event().wait()",
    "    except asyncio.CancelledError: pass",
)
SHORT = {"MSP_SHUTDOWN_BUDGET": "1s"}

ENDS = {
    "start raises": End(
        body=starting("raise LookupError('no such table')"),
        title="LookupError: no such table",
    ),
    "start raises an error of ours": End(
        body=starting("raise MSPError('the book is closed')"),
        title="MSPError: the book is closed",
    ),
    "start gives no routine": End(
        body=starting("return None"),
        title="UsageError: service 'probe': msp_initialize returned None, expected a Routine: "
        "something with name, start and stop",
        code=2,
    ),
    "start asks for what is not there": End(
        body=starting("contract[int]"),
        title="ContractError: contract[int]: no installed plugin provides builtins.int",
    ),
    "start finds a problem": End(
        body=starting(f"raise {PROBLEM}"),
        title="ConfigError: THEME is missing (needed by service)",
        code=78,
    ),
    "start calls sys.exit": End(
        body=starting("sys.exit(5)"),
        title="RuntimeError: msp_initialize called sys.exit: raise an exception instead",
        cause="SystemExit",
    ),
    "start cannot be abandoned": End(
        body=starting(*STUBBORN),
        title="StopTimeoutError: the start did not end in time",
        code=70,
        after="at work",
        variables=SHORT,
    ),
    "configuration": End(
        body=starting("return NoopRoutine()"),
        title="ConfigError: PORT is not an integer: expected an integer of 64 bits, such as 8080 "
        "(needed by core: port to listen on, on all interfaces)",
        code=78,
        variables={"PORT": "eighty-hundred"},
    ),
    "routine raises": End(
        body=working("raise OSError('disk on fire')"),
        title='RoutineError: routine "worker" failed: disk on fire',
        cause="OSError",
    ),
    "routine raises an error of ours": End(
        body=working("raise UsageError('not like this')"),
        title='RoutineError: routine "worker" failed: not like this',
        code=2,
        cause="UsageError",
    ),
    "routine returns": End(
        body=working("return"),
        title='EarlyReturnError: routine "worker" returned before it was stopped',
    ),
    "routine is cancelled": End(
        body=starting(
            "class Cancelled(NoopRoutine):",
            "    async def start(self): raise asyncio.CancelledError",
            "return Cancelled('gone')",
        ),
        title='RoutineError: routine "gone" was cancelled',
    ),
    "member of a group raises": End(
        body=working("raise OSError('disk on fire')")
        .replace("return CallbackRoutine", "return CombinedRoutine(NoopRoutine(), CallbackRoutine")
        .replace("start=self.work)", "start=self.work))"),
        title='RoutineError: routine "worker" failed: disk on fire',
        cause="OSError",
    ),
    "stop raises": End(
        body=stopping("CallbackRoutine('untidy', stop=self.stop)", "raise OSError('cannot flush')"),
        title='RoutineError: stop routine "untidy": cannot flush',
        after="service started",
        cause="OSError",
    ),
    "stop hangs": End(
        body=stopping("CallbackRoutine('stuck', stop=self.stop)", "await asyncio.Event().wait()"),
        title='StopTimeoutError: routine "stuck" did not stop in time',
        code=70,
        after="service started",
        variables=SHORT,
    ),
    "member of a group hangs": End(
        body=stopping(
            "LIFOStopRoutine(NoopRoutine('well'), CallbackRoutine('stuck', stop=self.stop))",
            "await asyncio.Event().wait()",
        ),
        title='StopTimeoutError: routine "stuck" did not stop in time',
        code=70,
        after="service started",
        variables=SHORT,
    ),
    "application refuses to start": End(
        body=serving(
            "if scope['type'] == 'lifespan':",
            "    await receive()",
            "    await send({'type': 'lifespan.startup.failed', 'message': 'no'})",
        ),
        title='RoutineError: routine "http": the application refused its lifespan startup',
    ),
    "job raises": End(
        body=executing("raise LookupError('no such table')"),
        title="LookupError: no such table",
    ),
    "job fails for good": End(
        body=executing("raise PermanentError('the bucket is gone')"),
        title="PermanentError: the bucket is gone",
        code=65,
    ),
    "job runs out of time": End(
        body=executing("await asyncio.Event().wait()"),
        title="JobDeadlineError: execution exceeded its deadline",
        variables={"JOB_EXECUTION_DEADLINE": "6s"},
        cause="CancelledError",
    ),
    "job runs out of time and cannot clean up": End(
        body=executing(
            "try: await asyncio.Event().wait()",
            "finally: raise OSError('cannot roll back')",
        ),
        title="JobDeadlineError: execution exceeded its deadline",
        variables={"JOB_EXECUTION_DEADLINE": "6s"},
        cause="CancelledError",
    ),
    "job hangs": End(
        body=executing(*STUBBORN),
        title="StopTimeoutError: execution did not end in time",
        code=70,
        after="at work",
        variables=SHORT,
    ),
}


POLITE = executing("print('at work', flush=True)", "await asyncio.Event().wait()")


def title(event: dict[str, Any]) -> str:
    """Return what Sentry shows in its list of issues."""
    outermost = event["exception"]["values"][-1]
    return f"{outermost['type']}: {outermost['value']}"


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_one_event(run: Run, receiver: Receiver, end: End) -> None:
    """The failure is told once, as fatal and not handled, with what caused it."""
    program = run(end.body, **end.variables)
    code = program.code() if end.after is None else program.stop(after=end.after)
    event = only(receiver)
    exceptions = event["exception"]["values"]

    assert code == end.code
    assert title(event) == end.title
    assert (exceptions[0]["type"] if len(exceptions) > 1 else None) == end.cause
    assert not any(each.get("mechanism", {}).get("handled") for each in exceptions)
    assert event["level"] == "fatal"


def test_port_in_use(run: Run, receiver: Receiver) -> None:
    """It is found out before Sentry is open, and told all the same."""
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        code = run(serving("..."), PORT=str(port)).code()
    event = only(receiver)

    assert code == 1
    assert title(event).startswith(f"PortError: port {port} is in use by process ")
    assert not any(each["mechanism"]["handled"] for each in event["exception"]["values"])
    assert event["level"] == "fatal"


def test_logged_before(run: Run, receiver: Receiver) -> None:
    """What the service has logged itself, and then dies of, is the event of its own line."""
    service = run(
        working(
            "try: raise OSError('disk on fire')",
            "except OSError:",
            "    logging.getLogger('probe').exception('no way to write')",
            "    raise",
        )
    )

    assert service.code() == 1
    event = only(receiver)
    assert (event["logger"], title(event)) == ("probe", "OSError: disk on fire")


def test_two_failures(run: Run, receiver: Receiver) -> None:
    """Each of two routines that fail to stop is an event with its own traceback and title."""
    service = run(
        stopping(
            "CombinedRoutine(CallbackRoutine('a', stop=self.stop), "
            "CallbackRoutine('b', stop=self.hang))",
            "raise OSError('cannot flush')",
        )
        + """
        async def hang(self, deadline):
            await asyncio.Event().wait()
        """,
        **SHORT,
    )

    assert service.stop() == 70
    assert sorted(title(event) for event in receiver.kept.payloads("event")) == [
        'RoutineError: stop routine "a": cannot flush',
        'StopTimeoutError: routine "b" did not stop in time',
    ]
    (line,) = [line for line in service.lines if "cannot flush" in line["Body"]]
    assert "in stop" in line["Stacktrace"]


@pytest.mark.parametrize(
    "body",
    [starting("return NoopRoutine()"), executing(*STUBBORN[:2], "    await asyncio.sleep(1)")],
)
def test_told_to_stop(run: Run, receiver: Receiver, body: str) -> None:
    """A service that is stopped, and a job that is cancelled, are no failures of theirs."""
    program = run(body)

    program.stop(after="service started" if "initialize" in body else "at work")
    assert receiver.kept.counts() == {}
