"""What hangs at the stop is named, and the process leaves all the same."""

from __future__ import annotations

import signal

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


def test_budget_counts_once(program: StartProgram) -> None:
    """A thread left behind has what the stop has left of the budget, not a budget of its own."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("slow", stop=self.stop)
        async def stop(self, deadline):
            # Over half a budget after the deadline: in time for a second budget only.
            seconds = deadline.remaining()
            threading.Thread(target=time.sleep, args=(2.2 * seconds,), name="leftover").start()
            await asyncio.sleep(0.9 * seconds)
        """,
        {"MSP_SHUTDOWN_BUDGET": "3s"},
    )

    assert service.stop() == 70
    assert "thread leftover did not end in time: leaving at once with 70" in service.stderr


# Hangs when everything else is over.
AT_EXIT = """
@hookimpl
async def msp_initialize(self, contract):
    atexit.register(self.hang)
    return NoopRoutine()
def hang(self):
    logging.getLogger("probe").info("about to hang")
    threading.Event().wait()
"""


def test_hanging_exit(program: StartProgram) -> None:
    """A function of atexit that hangs is shown by its stack, and the process leaves in time."""
    service = program(AT_EXIT, {"MSP_SHUTDOWN_BUDGET": "1s"}, head="import atexit")

    assert service.stop() == 70
    assert "shutdown budget exceeded while stopping the process" in service.stderr
    assert "in hang" in service.stderr


def test_log_that_nobody_reads(program: StartProgram) -> None:
    """A full pipe keeps no process beyond its budget; the lines in it are lost."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("talkative", start=self.talk, stop=self.stop)
        async def talk(self):
            for _ in range(1000):
                logging.getLogger("probe").info("x" * 1000)
            print("said all", flush=True)
            await asyncio.Event().wait()
        async def stop(self, deadline): ...
        """,
        {"MSP_SHUTDOWN_BUDGET": "1s"},
        head="import os; pipe = os.pipe(); os.dup2(pipe[1], 2)",
    )

    assert service.stop(after="said all") == 70


def test_second_signal_while_it_exits(program: StartProgram) -> None:
    """A second signal leaves at once, even where only the interpreter's own end is left."""
    head = "import atexit, signal; signal.signal(signal.SIGUSR1, lambda *_: None)"
    service = program(AT_EXIT, {"MSP_SHUTDOWN_BUDGET": "1000s"}, head=head)

    service.until("service started")
    service.signal()
    service.until("about to hang")
    service.signal(signal.SIGUSR1)  # the service's own counts for nothing
    assert service.stop(after="about to hang") == 0
    assert "second signal SIGTERM: leaving at once with 0" in service.stderr


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


def test_start_in_another_thread(program: StartProgram) -> None:
    """The main thread counts as one that was left behind, and is named."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("short", start=self.work)
        async def work(self): ...
        """,
        {"MSP_SHUTDOWN_BUDGET": "1s"},
        foot="asyncio.run(asyncio.to_thread(start, Service(), plugins=()))",
    )

    assert service.code() == 70
    assert "thread MainThread did not end in time: leaving at once with 70" in service.stderr
