"""What signals do to a process, from its start to its last line."""

from __future__ import annotations

import json
import signal

import pytest

from msp_core import StopHandle, run
from tests.msp_core.life_sources import IDLE, Waiting
from tests.msp_core.program import StartProgram


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_stops_with_0(program: StartProgram, number: signal.Signals) -> None:
    """Each of the three signals stops the service in order: exit 0 and one ledger line."""
    service = program(IDLE)
    service.until("service started")
    service.signal(number)

    assert service.code() == 0
    ledger = service.ledger()
    assert ledger["reason"] == number.name
    assert ledger["exit_code"] == 0
    assert [step["name"] for step in ledger["steps"]] == ["idle"]


def test_stop_is_announced_at_once(program: StartProgram) -> None:
    """The first line after a signal says why, what is waited for, and how long that may take."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            contract.diagnostics.inflight += [lambda: 1, lambda: 0]
            return CallbackRoutine("slow", stop=self.stop)
        async def stop(self, deadline):
            logging.getLogger("probe").info("waiting")
        """,
        {"MSP_SHUTDOWN_BUDGET": "7s"},
    )

    assert service.stop() == 0
    bodies = [line["Body"] for line in service.lines]
    assert bodies.index("stopping: 1 request in flight") < bodies.index("waiting")
    said = service.line("stopping: 1 request in flight")
    assert (said["level"], said["reason"]) == ("INFO", "SIGTERM")
    assert (said["requests"], said["budget"]) == (1, 7)


def test_stop_of_a_start_is_announced_once(program: StartProgram) -> None:
    """A signal while the service starts is answered at once, too, and once."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            logging.getLogger("probe").info("at it")
            try:
                await asyncio.sleep(1000)
            finally:
                logging.getLogger("probe").info("interrupted")
        """
    )

    assert service.stop(after="at it") == 0
    bodies = [line["Body"] for line in service.lines]
    assert bodies[-3:-1] == ["stopping", "interrupted"]
    assert bodies.count("stopping") == 1


def test_stop_of_a_service_just_started_is_announced_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A signal with which the start ends is answered once, although it is seen twice."""
    code = run(
        Waiting(),
        environ={"PORT": "0"},
        plugins=(),
        on_ready=lambda _: signal.raise_signal(signal.SIGTERM),
    )
    bodies = [json.loads(line)["Body"] for line in capfd.readouterr().err.splitlines()]

    assert code == 0
    assert bodies[:2] == ["service started", "stopping"]
    assert bodies.count("stopping") == 1


def test_second_signal_leaves_at_once(program: StartProgram) -> None:
    """A second signal does not wait for what the first one asked to stop."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("slow", stop=self.stop)
        async def stop(self, deadline):
            logging.getLogger("probe").info("stopping now")
            await asyncio.sleep(1000)
        """
    )
    service.until("service started")
    service.signal()
    service.until("stopping now")
    service.signal(signal.SIGINT)

    assert service.code() == 0
    assert "second signal SIGINT: leaving at once with 0" in service.stderr


def test_signal_while_starting(program: StartProgram) -> None:
    """SIGTERM during a slow start abandons it: exit 0."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            logging.getLogger("probe").info("slow start")
            await asyncio.sleep(1000)
        """
    )

    assert service.stop(after="slow start") == 0


def test_start_that_cannot_be_abandoned(program: StartProgram) -> None:
    """A start that ignores its cancellation is named with its stack: exit 70."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            logging.getLogger("probe").info("slow start")
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass
        """,
        {"MSP_SHUTDOWN_BUDGET": "1s"},
    )

    assert service.stop(after="slow start") == 70
    assert "the start did not end in time" in service.stderr
    assert "in msp_initialize" in service.stderr


def test_signal_that_another_thread_gets(program: StartProgram) -> None:
    """It wakes the standard event loop, too, which has nothing else to do."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            def tell():
                signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            threading.Timer(0.2, tell).start()
            return NoopRoutine("idle")
        """,
        head="import signal, sys; sys.modules['uvloop'] = None",
    )

    assert service.code() == 0


def test_run_gives_signals_back() -> None:
    """After a run in the main thread signals are handled as before."""
    handle = StopHandle()
    handle.stop("the end of the test")
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(each) for each in signals]

    code = run(Waiting(), environ={"PORT": "0"}, plugins=(), stop=handle)

    assert code == 0
    assert [signal.getsignal(each) for each in signals] == before
