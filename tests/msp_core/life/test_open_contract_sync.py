"""The contract of a program without asyncio: opened, asked and closed from plain threads."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from msp_core import (
    ConfigError,
    Contract,
    JobContract,
    RoutineError,
    ServiceContract,
    StopTimeoutError,
    UsageError,
    open_contract,
    open_contract_sync,
)
from msp_core._life.loop_thread import LoopThread
from msp_core.deadline import Deadline
from tests.msp_core.diagnostics_interface import ask_wsgi
from tests.msp_core.http_service import wsgi_app
from tests.msp_core.installed import Installed, plugin_source
from tests.msp_core.life.test_resources import Job, Service, module, resource

ENVIRON = {"PORT": "80", "ONE_URL": "x", "TWO_URL": "y"}

# Seconds; only reached when something is broken.
PATIENCE = 60.0


class Script:
    """Something with neither of the hooks that make a service or a job."""

    name, version = "script", "1"


def loop_threads() -> list[threading.Thread]:
    """Return the threads that run the loop of a contract."""
    return [thread for thread in threading.enumerate() if thread.name == "msp-contract"]


def test_opens_and_closes_in_order(installed: Installed) -> None:
    """Resources are there inside the block, closed after it in reverse; no thread is left."""
    resource(installed, "one")
    note = "__import__('fake_one').log.append('{} two')"
    resource(installed, "two", opening=note.format("open"), closing=note.format("close"))
    with open_contract_sync(ENVIRON, Service(), plugins=("one", "two")) as contract:
        assert isinstance(contract, ServiceContract)
        assert type(contract[module("one").Client]) is module("one").Client
        assert asyncio.run(contract.diagnostics.health.readiness()) == "ready"
        assert len(loop_threads()) == 1

    health = contract.diagnostics.health
    assert module("one").log == ["open one", "open two", "close two", "close one"]
    assert (health.started, health.draining) == (True, True)
    assert loop_threads() == []


def test_telemetry_is_opened_first(installed: Installed) -> None:
    """What reports is there before what it reports on."""
    resource(installed, "one")
    resource(installed, "trace", telemetry=True)
    environ = {**ENVIRON, "TRACE_URL": "z"}
    with open_contract_sync(environ, Service(), plugins=("one", "trace")) as contract:
        opened = [client.__module__ for client in contract.opened.clients]

    assert opened == ["fake_trace", "fake_one"]


@pytest.mark.parametrize(
    ("program", "kind"), [(Service(), ServiceContract), (Job(), JobContract), (Script(), Contract)]
)
def test_kinds(program: object, kind: type[Contract]) -> None:
    """Services and jobs get what they are told; anything else needs neither port nor hook."""
    environ = {"PORT": "80"} if kind is ServiceContract else {}
    with open_contract_sync(environ, program, plugins=()) as contract:
        assert type(contract) is kind


async def test_script_with_asyncio() -> None:
    """The same holds with asyncio; what is both service and job is still refused."""

    class Both(Service, Job): ...

    async with open_contract({}, Script(), plugins=()) as contract:
        assert type(contract) is Contract
    with pytest.raises(UsageError, match="implements both"):
        async with open_contract({}, Both(), plugins=()):
            raise AssertionError


async def test_in_a_notebook(installed: Installed) -> None:
    """A program whose main thread runs a loop may use it; the resources have another one."""
    resource(installed, "one")
    with open_contract_sync(ENVIRON, Service(), plugins=("one",)) as contract:
        loop = contract.diagnostics.loop

        assert loop is not None
        assert loop() is not asyncio.get_running_loop()
        assert loop() is loop()


async def test_checks_run_where_the_clients_belong(installed: Installed) -> None:
    """Diagnostics of a WSGI application ask the resources on the loop that opened them."""
    resource(installed, "one")
    loops: list[asyncio.AbstractEventLoop] = []

    def note(_client: object) -> bool:
        loops.append(asyncio.get_running_loop())
        return True

    with open_contract_sync(ENVIRON, Service(), plugins=("one",)) as contract:
        client = contract[module("one").Client]
        type(client).healthy = property(note)
        app = contract.diagnostics.wsgi(wsgi_app)
        answer = await asyncio.to_thread(asyncio.run, ask_wsgi(app, "GET", "/-/ready"))
        loop = contract.diagnostics.loop

        assert answer.status_code == 200
        assert loop is not None
        assert loops == [loop()]


def test_problems_are_told_at_once() -> None:
    """A wrong environment is one error with every problem, before anything is opened."""
    with pytest.raises(ConfigError) as caught:
        open_contract_sync({"MSP": "perhaps"}, Service(), plugins=())

    assert [problem.variable for problem in caught.value.problems] == ["MSP", "PORT"]


def test_ignored_value_is_told(installed: Installed, caplog: pytest.LogCaptureFixture) -> None:
    """A value that does not keep a program from running is a warning, without the value."""
    lenient = 'rate: float = env("RATE", default=1.0, invalid_is_unset=True)'
    fields = f"{lenient}; url: str = env('KV_URL', required=True)"
    installed.plugin("kv", plugin_source(fields))
    with open_contract_sync({"RATE": "hunter2"}, Script(), plugins=("kv",)):
        pass

    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert line.startswith("RATE is not a number: expected")
    assert "hunter2" not in line


def test_failing_open_unwinds(installed: Installed) -> None:
    """What was opened before a failure is closed again, and the loop ends."""
    resource(installed, "one")
    resource(installed, "two", opening="raise OSError('no such host')")
    with (
        pytest.raises(OSError, match="no such host"),
        open_contract_sync(ENVIRON, Service(), plugins=("one", "two")),
    ):
        raise AssertionError

    assert module("one").log == ["open one", "close one"]
    assert loop_threads() == []


def interrupt_main() -> None:
    """Send Ctrl-C to the main thread once that sleeps; just before, it would sleep all the same."""
    main = threading.main_thread()
    state = Path(f"/proc/self/task/{main.native_id}/stat")
    while state.read_text().rpartition(") ")[2][0] != "S":
        os.sched_yield()
    signal.pthread_kill(main.ident or 0, signal.SIGINT)


def test_interrupted_open_unwinds(installed: Installed) -> None:
    """Ctrl-C while a resource is being opened ends that, and closes what was open."""
    tests = f"__import__({__name__!r}, fromlist=['tests'])"
    interrupt = f"{tests}.interrupt_main(); await asyncio.Event().wait()"
    resource(installed, "one")
    resource(installed, "two", opening=interrupt)
    with (
        pytest.raises(KeyboardInterrupt),
        open_contract_sync(ENVIRON, Service(), plugins=("one", "two")),
    ):
        raise AssertionError

    assert module("one").log == ["open one", "close one"]
    assert loop_threads() == []


def test_failing_close_is_told(installed: Installed) -> None:
    """A resource that fails to close is named."""
    resource(installed, "one", closing="raise OSError('lost')")
    with (
        pytest.raises(RoutineError, match=r'^close "one": lost$'),
        open_contract_sync(ENVIRON, Service(), plugins=("one",)),
    ):
        pass


def test_failure_of_the_block_comes_first(installed: Installed) -> None:
    """What the program itself raised is not hidden by a resource that fails to close after it."""
    resource(installed, "one", closing="raise OSError('lost')")
    with (
        pytest.raises(LookupError, match="mine"),
        open_contract_sync(ENVIRON, Service(), plugins=("one",)),
    ):
        raise LookupError("mine")


def test_hanging_close(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What does not close within the platform's budget is named with its stack, and left."""
    monkeypatch.setattr("msp_core.platforms.Platform.shutdown_budget", 0.1)
    resource(installed, "one", closing="await asyncio.Event().wait()")
    with (
        pytest.raises(StopTimeoutError, match=r'^"one" did not close in time$'),
        open_contract_sync(ENVIRON, Service(), plugins=("one",)),
    ):
        pass

    for thread in loop_threads():
        thread.join(PATIENCE)  # what hung was cancelled

    (record,) = [each for each in caplog.records if "did not close" in each.getMessage()]
    assert "_hold" in record.__dict__["stack"]


NOTE_BUDGET = """log.append(
                __import__("msp_core.deadline").deadline.close_deadline.get().remaining()
            )"""


@pytest.mark.parametrize("seconds", [50.0, 5000.0])
def test_budget(installed: Installed, seconds: float) -> None:
    """What is open has the whole budget that the variable sets to be closed, not the platform's."""
    resource(installed, "one", closing=NOTE_BUDGET)
    environ = {**ENVIRON, "MSP_SHUTDOWN_BUDGET": f"{seconds:g}s"}
    with open_contract_sync(environ, Service(), plugins=("one",)):
        pass

    assert seconds / 2 < module("one").log[-1] <= seconds


@pytest.mark.parametrize("seconds", [50.0, 5000.0])
async def test_budget_with_asyncio(installed: Installed, seconds: float) -> None:
    """So it is with asyncio."""
    resource(installed, "one", closing=NOTE_BUDGET)
    environ = {**ENVIRON, "MSP_SHUTDOWN_BUDGET": f"{seconds:g}s"}
    async with open_contract(environ, Service(), plugins=("one",)):
        pass

    assert seconds / 2 < module("one").log[-1] <= seconds


def test_stop_before_start() -> None:
    """A loop that nobody asked for has no thread to end."""
    LoopThread().stop(Deadline.after(PATIENCE))

    assert loop_threads() == []


FORKED = """
    import attrs
    from contextlib import asynccontextmanager
    from msp_core import Integration, env, hookimpl

    log = []

    @attrs.frozen
    class Config:
        url: str = env("ONE_URL", help="where it is")

    class Client: ...

    @asynccontextmanager
    async def open_client(config, contract):
        log.append("open one")
        yield Client()
        log.append("close one")

    async def check(client): ...

    @hookimpl
    def msp_integration():
        return Integration(name="one", config=Config, client=Client, open=open_client, check=check)
"""

FORK = """
import os, sys
from msp_core import open_contract_sync
sys.path.insert(0, {folder!r})

class Script:
    name, version = "script", "1"

def app(environ, start_response):
    raise AssertionError

def ready(probe):
    answer = []
    environ = {{"REQUEST_METHOD": "GET", "PATH_INFO": "/-/ready"}}
    body = probe(environ, lambda status, headers: answer.append(status))
    return answer[0], b"".join(body)

environ = {{"ONE_URL": "x", "DIAGNOSTICS_SECRET": "s3cret"}}
opened = open_contract_sync(environ, Script(), plugins=("one",))
contract = opened.__enter__()
probe = contract.diagnostics.wsgi(app)
print("parent", ready(probe), flush=True)
child = os.fork()
if not child:
    print("child", ready(probe), flush=True)
    opened.__exit__(None, None, None)
    import fake_one
    print("child", fake_one.log, flush=True)
    sys.exit(0)
os.waitpid(child, 0)
print("parent", ready(probe), flush=True)
opened.__exit__(None, None, None)
import fake_one
print("parent", fake_one.log, flush=True)
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - the program of a test


def test_child_of_a_fork(installed: Installed) -> None:
    """A child answers probes and closes its own copy; the parent goes on, and closes its own."""
    installed.plugin("one", FORKED)
    process = python(FORK.format(folder=str(installed.folder)))

    assert process.stderr == ""
    assert process.returncode == 0
    ready = "('200 OK', b'ready')"
    log = "['open one', 'close one']"
    assert process.stdout.splitlines() == [
        f"parent {ready}",
        f"child {ready}",
        f"child {log}",
        f"parent {ready}",
        f"parent {log}",
    ]


FORK_DURING_START = """
import os, threading
from msp_core._life.loop_thread import LoopThread

class Late(LoopThread):
    def _start(self):
        if threading.current_thread() is asking:
            entered.set()
            leave.wait()
        return super()._start()

async def answer():
    return os.getpid()

loop, entered, leave = Late(), threading.Event(), threading.Event()
asking = threading.Thread(target=lambda: loop.run(answer()))
asking.start()
entered.wait()
if not (child := os.fork()):
    print("child", loop.run(answer()) == os.getpid(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
leave.set()
asking.join()
print("parent", loop.run(answer()) == os.getpid(), flush=True)
"""


def test_fork_while_the_loop_starts() -> None:
    """A child never waits for what a thread of its parent was about to do."""
    process = python(FORK_DURING_START)

    assert process.stderr == ""
    assert process.stdout.splitlines() == ["child True", "parent True"]


def test_forgotten_contract_does_not_keep_the_process(installed: Installed) -> None:
    """A program that never leaves the block ends all the same."""
    resource(installed, "one")
    code = FORK.format(folder=str(installed.folder)).partition("child = ")[0]
    process = python(code)

    assert process.returncode == 0
