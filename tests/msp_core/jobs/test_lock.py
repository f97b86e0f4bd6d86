"""The lock of a job."""

from __future__ import annotations

import textwrap

import pytest

from tests.msp_core.installed import Installed
from tests.msp_core.job_sources import WAITING, WELL, around, said
from tests.msp_core.program import StartProgram

LOCK = """
import asyncio, logging
from msp_core import *
log = logging.getLogger("lock")

class Lock:
    def __init__(self, name):
        self.name, self.lost = name, asyncio.Event()
    async def __aenter__(self):
        {taking}
        log.info("took %s", self.name)
        return self.lost
    async def __aexit__(self, kind, error, trace):
        log.info("released %s", self.name)
        {releasing}

@hookimpl
def msp_job_lock(contract, name):
    {giving}
"""


def lock(
    installed: Installed,
    name: str = "locks",
    *,
    taking: str = "pass",
    releasing: str = "return True",
    giving: str = "return Lock(name)",
) -> dict[str, str]:
    """Install a plugin that gives locks; return the variables of a program that asks for one."""
    source = LOCK
    for key, text in {"taking": taking, "releasing": releasing, "giving": giving}.items():
        source = source.replace(f"{{{key}}}", text)
    installed.plugin(name, source)
    return {"PYTHONPATH": str(installed.folder)}


LOCKED = 'lock = "nightly"\n'


LOCKS = 'PLUGINS = ("locks",)'


class TestLock:
    def test_held_by_this(self, program: StartProgram, installed: Installed) -> None:
        """The lock is taken before the work and released after it, also when that fails."""
        body = LOCKED + WELL.replace("return", "raise LookupError('x') #")
        job = program(body, lock(installed), head=LOCKS)

        assert job.code() == 1
        assert said(job, "lock") == ["took nightly", "released nightly"]
        assert "execution failed: x" in job.errors()

    def test_held_by_another(self, program: StartProgram, installed: Installed) -> None:
        """A second execution says so and leaves with 0; what is around it sees no failure."""
        lock(installed, taking="raise LockHeldError('lock x is held', lock='x')")
        head = 'PLUGINS = ("locks", "span")'
        job = program(LOCKED + WELL, around(installed), head=head)

        assert job.code() == 0
        assert job.line("execution skipped: lock x is held")["level"] == "INFO"
        assert said(job)[-1] == "left span with None"
        assert job.ledger()["reason"] == "held lock"

    def test_fails(self, program: StartProgram, installed: Installed) -> None:
        """A lock that cannot be asked for fails the execution: nobody knows who else works."""
        environ = lock(installed, taking="raise OSError('no such host')")
        job = program(LOCKED + WELL, environ, head=LOCKS)

        assert job.code() == 1
        assert "execution failed: no such host" in job.errors()

    def test_not_released(self, program: StartProgram, installed: Installed) -> None:
        """A lock that is not released in order is a warning; the work is done."""
        environ = lock(installed, releasing="raise OSError('gone')")
        job = program(LOCKED + WELL, environ, head=LOCKS)

        assert job.code() == 0
        assert job.line("lock 'nightly' was not released: gone")["level"] == "WARN"

    def test_lost(self, program: StartProgram, installed: Installed) -> None:
        """An execution that lost its lock is cancelled: another one may have begun."""
        taking = "asyncio.get_running_loop().call_later(0.1, self.lost.set)"
        job = program(LOCKED + WAITING, lock(installed, taking=taking), head=LOCKS)

        assert job.code() == 1
        assert job.line("execution cancelled by the loss of lock 'nightly'")["level"] == "WARN"

    def test_of_a_task(self, program: StartProgram, installed: Installed) -> None:
        """Tasks of one execution work side by side: each has a lock of its own."""
        environ = {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "10"}
        job = program(LOCKED + WELL, {**lock(installed), **environ}, head=LOCKS)

        assert job.code() == 0
        assert said(job, "lock")[0] == "took nightly/3"

    def test_first_that_is_given(self, program: StartProgram, installed: Installed) -> None:
        """A plugin that has no locks to give leaves them to the next."""
        lock(installed, "none", giving="pass")
        job = program(LOCKED + WELL, lock(installed), head='PLUGINS = ("none", "locks")')

        assert job.code() == 0
        assert said(job, "lock")[0] == "took nightly"

    def test_not_given(self, program: StartProgram) -> None:
        """Without a plugin that gives locks the job is told which one to add."""
        job = program(LOCKED + WELL)

        assert job.code() == 2
        (error,) = [text for text in job.errors() if text.startswith("execution failed")]
        assert "'msp-core[cloudsql]'" in error

    @pytest.mark.parametrize("name", ['""', "42"])
    def test_no_name(self, program: StartProgram, name: str) -> None:
        """A lock whose name is no text is a mistake in the job."""
        job = program(f"lock = {name}\n" + textwrap.dedent(WELL))

        assert job.code() == 2
        assert "its attribute `lock` is no name" in job.stderr
