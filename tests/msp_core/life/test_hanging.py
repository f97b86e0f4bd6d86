"""What hangs at the stop is named, and the process leaves all the same."""

from __future__ import annotations

from tests.msp_core.program import StartProgram


def test_hanging_stop_is_named(program: StartProgram) -> None:
    """A routine that hangs in stop is named with its stack; the rest stops; exit 70."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return LIFOStopRoutine(CallbackRoutine("well", stop=self.well),
                                   CallbackRoutine("stuck", stop=self.stuck))
        async def well(self, deadline):
            logging.getLogger("probe").info("stopped well")
        async def stuck(self, deadline):
            await self.deeper()
        async def deeper(self):
            await asyncio.Event().wait()
        """,
        {"MSP_SHUTDOWN_BUDGET": "2s"},
    )

    assert service.stop() == 70
    assert "stopped well" in service.stderr
    (line,) = [line for line in service.lines if 'routine "stuck" did not' in line["Body"]]
    assert line["SeverityText"] == "ERROR"
    assert "in deeper" in line["Attributes"]["stack"]
    assert service.ledger()["exit_code"] == 70


def test_stuck_event_loop_is_named(program: StartProgram) -> None:
    """With the event loop itself stuck, the watchdog says where and leaves with 70."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("stuck", start=self.run)
        async def run(self):
            logging.getLogger("probe").info("about to block")
            self.block()
        def block(self):
            while True:
                time.sleep(0.01)
        """,
        {"MSP_SHUTDOWN_BUDGET": "500ms"},
    )

    assert service.stop(after="about to block") == 70
    assert "shutdown budget exceeded while stopping the process" in service.stderr
    assert "in block" in service.stderr


def test_thread_that_does_not_end(program: StartProgram) -> None:
    """A worker thread that outlives the stop is named too, and the process leaves with 70."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("threaded", start=self.forever, stop=self.stop)
        def forever(self):
            while True:
                time.sleep(0.01)
        async def stop(self, deadline):
            pass
        """,
        {"MSP_SHUTDOWN_BUDGET": "1s"},
    )

    assert service.stop() == 70
    assert 'routine \\"threaded\\" did not stop in time' in service.stderr


def test_thread_left_behind(program: StartProgram) -> None:
    """A thread of the service's own that keeps the interpreter alive is named; exit 70."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            threading.Thread(target=self.forever, name="leftover").start()
            return NoopRoutine()
        def forever(self):
            while True:
                time.sleep(0.01)
        """,
        {"MSP_SHUTDOWN_BUDGET": "500ms"},
    )

    assert service.stop() == 70
    assert "thread leftover did not end in time: leaving at once with 70" in service.stderr


def test_thread_that_ends(program: StartProgram) -> None:
    """A thread of the service's own that ends in time is waited for."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            self.release = threading.Event()
            threading.Thread(target=self.release.wait).start()
            threading.Timer(0.2, self.release.set).start()
            return CallbackRoutine(stop=self.stop)
        async def stop(self, deadline):
            pass
        """
    )

    assert service.stop() == 0
