"""The resources of a job."""

from __future__ import annotations

from tests.msp_core.installed import Installed
from tests.msp_core.job_sources import WELL
from tests.msp_core.program import StartProgram

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
