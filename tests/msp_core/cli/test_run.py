"""`msp run` and `msp job`, from outside."""

from __future__ import annotations

import json
import signal

import pytest

from tests.msp_core.command_line import Process
from tests.msp_core.installed import Installed

ROUTINE = """
    import attrs
    import asyncio
    from msp_core.hookspecs import hookimpl

    class Wait:
        name = "wait"
        async def start(self):
            self.stopping = asyncio.Event()
            await self.stopping.wait()
        async def stop(self, deadline):
            self.stopping.set()

    class Service:
        name = "guestbook"
        version = "1.2.3"
        @hookimpl
        async def msp_initialize(self):
            return Wait()
"""


JOB = """
    from msp_core import hookimpl

    class Service:
        name = "tidy"
        version = "1.2.3"
        @hookimpl
        def msp_execute(self): ...
"""


class TestRun:
    @pytest.fixture
    def process(self, installed: Installed) -> Process:
        """Install a service that waits, and give what starts it."""
        installed.service("guestbook", ROUTINE)
        return Process(installed.folder)

    def test_events(self, process: Process) -> None:
        """With JSON, stdout has one line when ready and one when stopped."""
        with process.start("guestbook", "--format", "json", PORT="0") as running:
            assert running.stdout is not None
            ready = json.loads(running.stdout.readline())
            running.send_signal(signal.SIGTERM)
            stopped = json.loads(running.communicate(timeout=60)[0])

        assert ready == {"event": "ready", "name": "guestbook", "version": "1.2.3", "port": 0}
        assert stopped == {"event": "stopped", "name": "guestbook", "exit_code": 0}
        assert running.returncode == 0

    @pytest.mark.parametrize("command", ["run", "job"])
    def test_job(self, installed: Installed, command: str) -> None:
        """A job is executed by both commands, and never ready."""
        installed.service("tidy", JOB)
        process = Process(installed.folder, command)
        with process.start("tidy", "--format", "json") as running:
            out, _ = running.communicate(timeout=60)

        assert running.returncode == 0
        assert json.loads(out) == {"event": "stopped", "name": "tidy", "exit_code": 0}

    def test_service_as_job(self, installed: Installed) -> None:
        """`msp job` refuses a service and says what starts it."""
        installed.service("guestbook", ROUTINE)
        with Process(installed.folder, "job").start("guestbook") as running:
            _, err = running.communicate(timeout=60)

        assert running.returncode == 2
        assert err == (
            "msp: 'guestbook' is a service, expected a job: start it with start() or msp run\n"
        )

    def test_problems(self, process: Process) -> None:
        """A wrong environment leaves with 78, and stdout stays empty."""
        with process.start("guestbook", PORT="hunter2") as running:
            out, err = running.communicate(timeout=60)

        assert (running.returncode, out) == (78, "")
        assert "PORT" in err
        assert "hunter2" not in err

    def test_arguments(self, process: Process) -> None:
        """What stands after -- is the service's: its help lists its variables."""
        with process.start("guestbook", "--", "--help") as running:
            out, _ = running.communicate(timeout=60)

        assert running.returncode == 0
        assert out.startswith("SERVICE: guestbook\nVERSION: 1.2.3\n")
