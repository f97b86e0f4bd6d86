"""Ctrl-C at any moment of the start of `msp dev` ends it quietly and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.msp_dev.conftest import distribution

MOMENTS = 40
# Python imports this by itself. A moment is an event of the interpreter from `import msp_core` on.
MOMENT = """
import os, signal, sys
seen = 0
def look(event, arguments):
    global seen
    if seen or event == "import" and arguments[0] == "msp_core":
        if event in {"import", "open", "subprocess.Popen", "socket.connect"}:
            seen += 1
            if seen == int(os.environ["MOMENT"]):
                os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(look)
"""
SERVICE = '''
import sys
from msp_core import NoopRoutine
from msp_core.hookspecs import hookimpl

class Guestbook:
    """Says how many moments its start took."""
    name, version = "guestbook", "1.2.3"

    @hookimpl
    def msp_initialize(self, contract):
        print(sys.modules["sitecustomize"].seen, flush=True)
        return NoopRoutine()
'''
PLUGIN = """
import asyncio
from contextlib import asynccontextmanager
import attrs
from msp_core.config import env
from msp_core.dev import run_tool, server_folder, server_process
from msp_core.hookspecs import hookimpl
from msp_core.integration import Integration

@attrs.frozen
class Config:
    endpoint: str = env("CHEAP_ENDPOINT")

class Cheap: ...

@asynccontextmanager
async def open_(config, contract):
    yield Cheap()

@asynccontextmanager
async def dev(folder):
    async with server_folder(folder) as held:
        up = held.data / "up"
        await run_tool(["/bin/sh", "-c", f"rm -f {up}"], folder=held)
        async def ready():
            up.stat()
        server = ["/bin/sh", "-c", f"trap 'exit 0' TERM; echo > {up}; while sleep 0.01; do :; done"]
        async with server_process(server, folder=held, ready=ready):
            yield {"CHEAP_ENDPOINT": "here"}

@hookimpl
def msp_integration():
    return Integration(name="cheap", config=Config, client=Cheap, open=open_, dev=dev)
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Give a folder like site-packages with a service on a cheap server of its own."""
    for name, code in {"guestbook": SERVICE, "cheap": PLUGIN, "sitecustomize": MOMENT}.items():
        (tmp_path / f"{name}.py").write_text(code)
    points = "[msp.services]\nguestbook = guestbook:Guestbook\n[msp.plugins]\ncheap = cheap\n"
    distribution(tmp_path, "guestbook", points)
    return tmp_path


def start(service: Path, *, moment: int) -> subprocess.Popen[str]:
    """Start `msp dev`, which gets SIGINT at a moment."""
    code = "import sys; from msp_command import main; sys.exit(main())"
    path = os.pathsep.join([str(service), os.environ.get("PYTHONPATH", "")])
    # Every start must have the same moments: none may be shorter for what an earlier one kept.
    own = {"PYTHONPATH": path, "MOMENT": str(moment), "MSP_DECLARATION_CACHE": "false"}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", code, "dev", "guestbook"],
        cwd=service,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **own},
    )


def started(service: Path) -> int:
    """Start without an interruption; return how many moments it took until the service is up."""
    with start(service, moment=0) as process:
        assert process.stdout is not None
        moments = int(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    return moments


def left(folder: Path) -> Iterator[psutil.Process]:
    """Yield what runs for the folder: guards and servers name it in their command lines."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder / ".msp") in part for part in process.info["cmdline"] or ()):
            yield process


def test_at_any_moment(service: Path) -> None:
    """It leaves in time, without a traceback, and the next start finds everything in order."""
    moments = started(service)
    for step in range(MOMENTS):
        moment = 1 + step * moments // MOMENTS
        with start(service, moment=moment) as process:
            try:
                _, said = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        deadline = time.monotonic() + 30
        while remaining := list(left(service)):
            assert time.monotonic() < deadline, (moment, remaining)

        assert process.returncode in {0, -signal.SIGINT, 130}, (moment, said)
        assert "Traceback" not in said, (moment, said)
    assert started(service) > MOMENTS


def test_an_ignored_interruption_stays_ignored() -> None:
    """What a shell started in the background is not ended by the Ctrl-C of another program."""
    code = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.argv = ["msp", "plugins"]
from msp_command import main
main()
print(signal.getsignal(signal.SIGINT).name)
"""
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)  # noqa: S603 - our own program

    assert done.stdout.splitlines()[-1] == "SIG_IGN"
