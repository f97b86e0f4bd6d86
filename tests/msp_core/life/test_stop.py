"""Stopping from inside: the handle, the contract's stop, and what would tear the event loop."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from msp_core import (
    JobContract,
    NoopRoutine,
    Routine,
    ServiceContract,
    StopHandle,
    UsageError,
    hookimpl,
    open_contract,
    run,
)
from tests.msp_core.installed import Installed
from tests.msp_core.program import StartProgram

LOOPS = {"uvloop": "", "asyncio": "import sys; sys.modules['uvloop'] = None"}


class Idle:
    """A service that waits to be stopped."""

    name, version = "idle", "1"

    @hookimpl
    def msp_initialize(self) -> Routine:
        return NoopRoutine("idle")


class Endless:
    """A job that says when it runs, and never ends by itself."""

    name, version = "endless", "1"

    def __init__(self) -> None:
        self.running = threading.Event()

    @hookimpl
    def msp_execute(self, contract: JobContract) -> None:
        self.running.set()
        while not contract.execution.cancelled:
            self.running.wait()


def ledger(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the ledger line's attributes."""
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (line,) = [line for line in lines if "exit_code" in line.get("Attributes", {})]
    attributes: dict[str, Any] = line["Attributes"]
    return attributes


class TestHandle:
    """What stops a run from outside."""

    def test_stops_a_service_from_another_thread(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A running service stops in order, with 0, and its log says who asked."""
        handle = StopHandle()
        started = threading.Event()

        def ask() -> None:
            started.wait()
            handle.stop("the end of the test")

        thread = threading.Thread(target=ask)
        thread.start()
        code = run(
            Idle(),
            environ={"PORT": "0"},
            plugins=(),
            on_ready=lambda _: started.set(),
            stop=handle,
        )
        thread.join()

        assert code == 0
        told = ledger(capfd)
        assert told["reason"] == "the end of the test"
        assert [step["name"] for step in told["steps"]] == ["idle"]

    def test_asked_before_the_run(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A request that comes before the run is not lost; the first reason counts."""
        handle = StopHandle()
        handle.stop("haste")
        handle.stop("second thoughts")

        assert run(Idle(), environ={"PORT": "0"}, plugins=(), stop=handle) == 0
        assert ledger(capfd)["reason"] == "haste"

    def test_no_word_of_ctrl_c(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A stop that no signal asked for offers no second signal: the first one is to come."""
        handle = StopHandle()
        handle.stop("haste")
        run(Idle(), environ={"PORT": "0"}, plugins=(), stop=handle)
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]

        assert not [line for line in lines if line["Body"].startswith("stopping")]

    def test_asked_after_the_run(self) -> None:
        """A handle whose run is over can be asked; nothing happens."""
        handle = StopHandle()
        code = run(
            Idle(),
            environ={"PORT": "0"},
            plugins=(),
            on_ready=lambda contract: contract.stop("the end of the test"),
            stop=handle,
        )
        handle.stop("habit")

        assert code == 0

    def test_ends_a_job_early(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A job that is not done is cut short as by a signal: 1, and its log says by whom."""
        handle, job = StopHandle(), Endless()

        def ask() -> None:
            job.running.wait()
            handle.stop("the end of the test")

        thread = threading.Thread(target=ask)
        thread.start()
        code = run(job, environ={}, plugins=(), stop=handle)
        thread.join()

        assert code == 1
        assert "execution cancelled by the end of the test" in capfd.readouterr().err

    def test_needs_a_reason(self) -> None:
        """A stop that nobody can explain later is refused."""
        with pytest.raises(UsageError, match='expected a text that completes "stopped by"'):
            StopHandle().stop("")


class TestContract:
    """A service that stops itself."""

    @pytest.mark.parametrize(
        "group", ["{}", "CombinedRoutine(other, {})", "LIFOStopRoutine(FIFOStopRoutine(other, {}))"]
    )
    def test_routine_that_is_done(self, program: StartProgram, group: str) -> None:
        """A routine that asks for the stop and returns ends the service with 0, in order."""
        routine = group.format('CallbackRoutine("feed", start=self.feed)')
        service = program(
            f"""
            @hookimpl
            async def msp_initialize(self, contract):
                self.contract = contract
                other = CallbackRoutine("other", stop=self.stop)
                return {routine}
            async def feed(self):
                self.contract.stop("the end of the queue")
            async def stop(self, deadline):
                logging.getLogger("probe").info("other stopped")
            """
        )

        assert service.code() == 0
        assert service.ledger()["reason"] == "the end of the queue"
        assert ("other stopped" in service.stderr) is (group != "{}")
        assert service.errors() == []

    @pytest.mark.parametrize("group", ["{}", "LIFOStopRoutine({})"])
    def test_routine_that_fails_after_its_stop(self, program: StartProgram, group: str) -> None:
        """Who asks for the stop and then raises has failed: told once, exit 1."""
        routine = group.format('CallbackRoutine("feed", start=self.feed)')
        service = program(
            f"""
            @hookimpl
            async def msp_initialize(self, contract):
                self.contract = contract
                return {routine}
            async def feed(self):
                self.contract.stop("the end of the queue")
                raise OSError("disk on fire")
            """
        )

        assert service.code() == 1
        assert service.ledger()["reason"] == "the end of the queue"
        assert service.stderr.count("Traceback") == 1
        assert len([text for text in service.errors() if "disk on fire" in text]) == 1

    def test_from_a_thread(self, program: StartProgram) -> None:
        """Any thread may ask, also while the service still starts."""
        service = program(
            """
            @hookimpl
            def msp_initialize(self, contract):
                threading.Thread(target=contract.stop, args=("a thread",)).start()
                return NoopRoutine()
            """
        )

        assert service.code() == 0
        assert service.ledger()["reason"] == "a thread"

    def test_signal_beats_a_later_request(self, program: StartProgram) -> None:
        """The first request counts, whoever makes it; one signal after it stops nothing at once."""
        service = program(
            """
            @hookimpl
            async def msp_initialize(self, contract):
                self.contract = contract
                return CallbackRoutine("polite", stop=self.stop)
            async def stop(self, deadline):
                self.contract.stop("the end of the queue")
            """
        )

        assert service.stop() == 0
        assert service.ledger()["reason"] == "SIGTERM"

    async def test_without_a_run(self) -> None:
        """A contract that nobody runs cannot be stopped, only left."""
        async with open_contract({"PORT": "0"}, Idle(), plugins=()) as contract:
            assert isinstance(contract, ServiceContract)
            with pytest.raises(UsageError, match="leave its contract's block"):
                contract.stop("the end of the test")


@pytest.mark.parametrize("loop", LOOPS)
class TestTornLoop:
    """What ends an event loop in asyncio stops the process in order here."""

    def test_sys_exit_in_a_task(self, program: StartProgram, loop: str) -> None:
        """A task of the service's own that calls sys.exit is a failure, told once: exit 1."""
        service = program(
            """
            @hookimpl
            async def msp_initialize(self, contract):
                self.task = asyncio.create_task(self.leave())
                return CallbackRoutine("worker", stop=self.stop)
            async def leave(self):
                sys.exit(3)
            async def stop(self, deadline):
                logging.getLogger("probe").info("stopped well")
            """,
            head=LOOPS[loop],
        )

        assert service.code() == 1
        assert "stopped well" in service.stderr
        assert service.ledger()["reason"] == "sys.exit in a task"
        assert service.errors()[0] == "a task called sys.exit: 3"
        assert service.stderr.count("Traceback") == 1

    def test_keyboard_interrupt(self, program: StartProgram, loop: str) -> None:
        """Python's own handler of Ctrl-C, put back by a library, stops the service all the same."""
        service = program(
            """
            @hookimpl
            async def msp_initialize(self, contract):
                import signal
                signal.signal(signal.SIGINT, signal.default_int_handler)
                asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
                return CallbackRoutine("worker", stop=self.stop)
            async def stop(self, deadline):
                logging.getLogger("probe").info("stopped well")
            """,
            head=LOOPS[loop],
        )

        assert service.code() == 0
        assert "stopped well" in service.stderr
        assert service.ledger()["reason"] == "KeyboardInterrupt"

    def test_keyboard_interrupt_in_a_job(self, program: StartProgram, loop: str) -> None:
        """Work that raises KeyboardInterrupt has failed, and everything else is left in order."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self, contract):
                raise KeyboardInterrupt
            """,
            head=LOOPS[loop],
        )

        assert job.code() == 1
        (failure,) = job.errors()[:-1]
        assert failure == "execution failed: msp_execute was ended by KeyboardInterrupt"
        assert job.ledger()["reason"] == "failure"

    def test_keyboard_interrupt_beside_a_job(self, program: StartProgram, loop: str) -> None:
        """Ctrl-C that a library put back ends the work early, so that it does not look done."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self, contract):
                import signal
                signal.signal(signal.SIGINT, signal.default_int_handler)
                asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
                await asyncio.Event().wait()
            """,
            head=LOOPS[loop],
        )

        assert job.code() == 1
        assert "execution cancelled by KeyboardInterrupt" in job.stderr

    def test_sys_exit_in_a_task_of_a_job(self, program: StartProgram, loop: str) -> None:
        """A side task that calls sys.exit ends the work early, so that it does not look done."""
        job = program(
            """
            @hookimpl
            async def msp_execute(self, contract):
                self.task = asyncio.create_task(self.leave())
                await asyncio.Event().wait()
            async def leave(self):
                sys.exit(0)
            """,
            head=LOOPS[loop],
        )

        assert job.code() == 1
        assert job.ledger()["reason"] == "sys.exit in a task"
        assert "execution cancelled by sys.exit in a task" in job.stderr

    def test_sys_exit_in_a_resource(
        self, program: StartProgram, installed: Installed, loop: str
    ) -> None:
        """A plugin that calls sys.exit while it opens fails the start, told once: exit 1."""
        installed.plugin(
            "odd",
            """
            import sys
            from contextlib import asynccontextmanager
            import attrs
            from msp_core import Integration, env, hookimpl

            @attrs.frozen
            class Config:
                url: str = env("ODD_URL", help="where it is")

            class Client: ...

            @asynccontextmanager
            async def open_client(config, contract):
                sys.exit(0)
                yield Client()

            @hookimpl
            def msp_integration():
                return Integration(name="odd", config=Config, client=Client, open=open_client)
            """,
        )
        service = program(
            "@hookimpl\nasync def msp_initialize(self, contract): ...",
            {"PYTHONPATH": str(installed.folder), "ODD_URL": "x"},
            head=f'{LOOPS[loop]}\nPLUGINS = ("odd",)',
        )

        assert service.code() == 1
        assert service.ledger()["reason"] == "failed start"
        (failure,) = service.errors()[:-1]
        assert 'integration "odd" called sys.exit' in failure
