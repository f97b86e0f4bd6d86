"""ServerProcess: one dev server under its guard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import attrs

from msp_core.deadline import Deadline
from msp_core.dev._folder import ServerFolder
from msp_core.dev._lock import RUNNING
from msp_core.dev._running import withdraw
from msp_core.errors import DevError

logger = logging.getLogger("msp.dev")

_POLL = 0.005
# Seconds between two looks at whether a server still runs.
_LOOK = 0.2
_LAST_LINES = 10
_FULL = 1024 * 1024  # bytes of free space below which a disk counts as full
_GUARDS_SHARE = 5.0  # seconds beyond the grace in which the guard itself has to end
_GUARD = Path(__file__).with_name("_guard.py")
# All that a server inherits: our own environment may hold secrets, and settings meant for clients.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class ServerProcess:
    """A process under its guard.

    Attributes:
        command: its command line.
        folder: where it keeps its data and log.
        stop_grace: seconds between the stop signal and SIGKILL.
        guard: the guard, which lives as long as the process.
    """

    command: tuple[str, ...]
    folder: ServerFolder
    stop_grace: float
    guard: subprocess.Popen[bytes] = attrs.field(repr=False)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 + signal number when a signal ended it, -9 if the guard hung."""
        return self.guard.poll()

    async def ready(self, answers: Callable[[], Awaitable[object]], timeout: float) -> None:  # noqa: ASYNC109 - names what did not answer
        """Wait until `answers` returns instead of raising while the process runs."""
        deadline = Deadline.after(timeout)
        while not await _succeeds(answers, deadline.remaining()):
            if self.exit_code is not None:
                raise self._make_error("ended before it was ready")
            if not deadline.remaining():
                raise self._make_error(f"was not ready within {timeout:g} s")
            await asyncio.sleep(_POLL)
        if self.exit_code is not None:
            raise self._make_error("ended, and another server answered in its place")

    async def finish(self, timeout: float) -> None:  # noqa: ASYNC109 - names what did not end
        """Wait until it ends, with exit code 0."""
        if not await self._wait_ended(Deadline.after(timeout)):
            raise self._make_error(f"did not end within {timeout:g} s")
        if self.exit_code:
            raise self._make_error("failed")

    async def log_end(self) -> None:
        """Wait until it ends though nobody stops it, and log that; everything else goes on.

        A service must live through an outage of what it uses, so nothing is started anew.
        """
        while self.exit_code is None:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(_LOOK)
        logger.error(
            "%s ended with exit code %d, its clients get errors from now on: see %s, and start "
            "msp dev again",
            Path(self.command[0]).name,
            self.exit_code,
            self.folder.log,
        )

    async def stop(self) -> None:
        """Have the guard stop it; return when both have ended, at once when others use it."""
        assert self.guard.stdin is not None  # noqa: S101 - opened as a pipe
        # First nobody can join any more, then the guard may look whether anybody has.
        alone = withdraw(self.folder.home)
        self.guard.stdin.close()
        if not alone and self.exit_code is None:
            self.guard.returncode = 0  # it outlives us on purpose, nothing should warn of that
            return
        if not await self._wait_ended(Deadline.after(self.stop_grace + _GUARDS_SHARE)):
            self.guard.kill()
            self.guard.wait()

    async def _wait_ended(self, deadline: Deadline) -> bool:
        while self.exit_code is None and deadline.remaining():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(_POLL)
        return self.exit_code is not None

    def _make_error(self, what: str) -> DevError:
        lines = self.folder.log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
        printed = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
        name = Path(self.command[0]).name
        if shutil.disk_usage(self.folder.data).free < _FULL:
            what += ", the disk is full"  # then the log could not be written
        return DevError(f"{name} {what}; the end of {self.folder.log}:\n{printed}")


@contextlib.asynccontextmanager
async def server_process(
    argv: Sequence[str | Path],
    *,
    folder: ServerFolder,
    ready: Callable[[], Awaitable[object]],
    stop_signal: signal.Signals = signal.SIGTERM,
    start_timeout: float = 30.0,
    stop_grace: float = 5.0,
    environ: Mapping[str, str] = _NOTHING,
) -> AsyncIterator[ServerProcess]:
    """Run a server that ends with this context, and with this process however that ends.

    Where others joined it, it runs on until the last of them has left. When it ends before, by a
    crash or killed, that is logged once, with its exit code; nothing else happens.

    Args:
        argv: command line of a server that stays in the foreground and keeps its process group.
        folder: where it keeps its data; says whom it runs as; gets its log.
        ready: awaited again and again, 5 ms apart, until it does not raise; makes a real
            connection.
        stop_signal: asks the server to stop. Default SIGTERM.
        start_timeout: seconds until `ready` has to succeed. Default 30.
        stop_grace: seconds between the stop signal and SIGKILL. Default 5.
        environ: variables for the server, which inherits next to nothing of ours.

    Raises:
        DevError: the server ended before it was ready, or was not ready in time; shows the end of
            its log.
    """
    process = _start(argv, folder, stop_signal, stop_grace, environ)
    try:
        await process.ready(ready, start_timeout)
        watch = asyncio.create_task(process.log_end(), name=f"watch {process.command[0]}")
        try:
            yield process
        finally:
            # Before the stop: an end that we asked for is not reported.
            watch.cancel()
    finally:
        await process.stop()


async def run_tool(
    argv: Sequence[str | Path],
    *,
    folder: ServerFolder,
    timeout: float = 60.0,  # noqa: ASYNC109 - names the tool that did not end
    environ: Mapping[str, str] = _NOTHING,
) -> None:
    """Run a program to its end, such as one that prepares the data of a server.

    Args:
        argv: command line.
        folder: says whom it runs as; gets its log.
        timeout: seconds it may take. Default 60.
        environ: variables for the program, which inherits next to nothing of ours.

    Raises:
        DevError: its exit code was not 0, or it did not end in time; shows the end of its log.
    """
    process = _start(argv, folder, signal.SIGTERM, 1.0, environ)
    try:
        await process.finish(timeout)
    finally:
        await process.stop()


async def _succeeds(answers: Callable[[], Awaitable[object]], seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await answers()
    except Exception:  # noqa: BLE001 - whatever a client library raises means: not ready yet
        succeeded = False
    else:
        succeeded = True
    task = asyncio.current_task()
    # A client library may have made an error, or nothing, of our cancellation.
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    return succeeded


def _start(
    argv: Sequence[str | Path],
    folder: ServerFolder,
    stop_signal: signal.Signals,
    stop_grace: float,
    environ: Mapping[str, str],
) -> ServerProcess:
    command = tuple(os.fspath(part) for part in argv)
    ids = (-1, -1) if folder.user is None else (folder.user.uid, folder.user.gid)
    options = (int(stop_signal), stop_grace, *ids, folder.home / RUNNING)
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with folder.log.open("ab") as log:
        guard = subprocess.Popen(  # noqa: S603 - the plugin's own command
            [sys.executable, "-I", "-S", os.fspath(_GUARD), *map(str, options), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder.data,
            env={"LC_ALL": "C", **inherited, **environ},
            start_new_session=True,
            pass_fds=(folder.lock,),
        )
    return ServerProcess(command=command, folder=folder, stop_grace=stop_grace, guard=guard)
