"""A service, installed with its metadata, that `msp dev` runs in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

SERVICE = '''
import asyncio, os, sys
import attrs
from msp_cloudsql import CloudSQL
from msp_core import NoopRoutine
from msp_core.config import env
from msp_core.hookspecs import hookimpl
from msp_redis import Redis

@attrs.frozen
class Config:
    fail: bool = env("FAIL", default=False)

class Guestbook:
    """Counts its starts in every resource, and says so."""
    name, version, config = "guestbook", "1.2.3", Config

    @hookimpl
    async def msp_initialize(self, contract, config):
        counts = await contract[Redis].client().incr("starts"), await in_postgresql(contract)
        print("starts", *counts, flush=True)
        if config.fail:
            raise RuntimeError("no")
        return NoopRoutine()

async def in_postgresql(contract):
    connection = await contract[CloudSQL].connect("primary")
    async with connection:
        await connection.execute("create table if not exists starts (at timestamptz)")
        await connection.execute("insert into starts values (now())")
        return (await (await connection.execute("select count(*) from starts")).fetchone())[0]

class Waiting:
    """Has a resource that never starts."""
    name, version = "waiting", "1.2.3"

    @hookimpl
    async def msp_initialize(self, contract):
        raise AssertionError
'''
PLUGIN = """
import asyncio
from contextlib import asynccontextmanager
import attrs
from msp_core.config import env
from msp_core.hookspecs import hookimpl
from msp_core.integration import Integration

@attrs.frozen
class Config:
    endpoint: str = env("SLOW_ENDPOINT")

class Slow: ...

@asynccontextmanager
async def dev(folder):
    print("starting", flush=True)
    try:
        await asyncio.Event().wait()
        yield {}
    finally:
        print("stopped", flush=True)

@hookimpl
def msp_integration():
    return Integration(name="slow", config=Config, client=Slow, open=None, dev=dev)
"""
Run = Callable[..., Any]


def distribution(folder: Path, name: str, entry_points: str, *requirements: str) -> None:
    """Write the metadata of a distribution beside its modules, as an installer does."""
    info = folder / f"{name}-1.2.3.dist-info"
    info.mkdir()
    head = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.2.3"]
    needs = [f"Requires-Dist: {requirement}" for requirement in requirements]
    (info / "METADATA").write_text("\n".join([*head, *needs, ""]))
    (info / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a folder like site-packages with the services `guestbook` and `waiting`."""
    folder = tmp_path / "installed"
    for package, code in {"guestbook": SERVICE, "waiting": SERVICE, "slow": PLUGIN}.items():
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text(code)
    needs = "msp-core[cloudsql,redis]"
    distribution(folder, "guestbook", "[msp.services]\nguestbook = guestbook:Guestbook\n", needs)
    waiting = "[msp.services]\nwaiting = waiting:Waiting\n[msp.plugins]\nslow = slow\n"
    distribution(folder, "waiting", waiting)
    return folder


@pytest.fixture
def data(open_folder: Path) -> Path:
    """Give a folder for the data of dev resources that every user can enter."""
    folder = Path(tempfile.mkdtemp(dir=open_folder))
    folder.chmod(0o711)
    return folder


class MSPDev:
    """A running `msp dev`; `stdout` and `stderr` are what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.below: list[psutil.Process] = []

    def line(self) -> str:
        """Wait for the next line that the service prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ready(self) -> str:
        """Wait until the service is ready; return what was said until then."""
        assert self.process.stderr is not None
        said = ""
        while "ready in" not in said:
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.look()
        return said

    def look(self) -> None:
        """Remember everything that runs below it."""
        self.below = psutil.Process(self.process.pid).children(recursive=True)

    def servers(self) -> list[psutil.Process]:
        """Return the servers below it, without the processes that PostgreSQL starts and ends."""
        found = []
        for each in self.below:
            with contextlib.suppress(psutil.NoSuchProcess):
                if (parent := each.parent()) and parent.name() != each.name():
                    found.append(each)
        return found

    def end(self, number: int) -> int:
        """Send a signal; return the exit code when the process and all below it are gone."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        assert self.left() == []
        return code

    def left(self) -> list[psutil.Process]:
        """Return what still runs below it after a while."""
        return psutil.wait_procs(self.below, timeout=30)[1]


@pytest.fixture
def msp_dev(installed: Path, data: Path) -> Iterator[Callable[..., MSPDev]]:
    """Give what starts `msp dev` with arguments and variables; kills what is left at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> MSPDev:
        argv = [sys.executable, "-m", "msp_core", "dev", *arguments, "--data", str(data)]
        path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(  # noqa: S603 - our own program
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **variables},
        )
        started.append(process)
        return MSPDev(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()
