"""ServerFolder: where one dev server keeps its data, held by one process at a time."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TextIO

import attrs

from msp_core._dev_ports import free_port
from msp_core._dev_user import ServerUser, shared_folder, unprivileged_user
from msp_core.deadline import Deadline
from msp_core.errors import DevError
from msp_core.platforms import Platform

_GUARDS_LAST_WORK = 15.0  # seconds the guard of a killed process may need to stop its server
_POLL = 0.02
_LOCK = "lock"


@attrs.frozen(kw_only=True)
class ServerFolder:
    """A folder that one process holds until it left it and its servers have ended.

    Attributes:
        home: the folder that was asked for; holds lock, log and last port.
        data: what the server may write to; equal to `home` unless the server's user cannot reach
            that, then a folder below /var/tmp that belongs to it.
        user: whom the server runs as; None for ourselves.
        lock: file descriptor of the lock, which the guards share.
    """

    home: Path
    data: Path
    user: ServerUser | None
    lock: int

    @property
    def log(self) -> Path:
        """The file that holds what the servers of this run printed."""
        return self.home / "log"

    def port(self) -> int:
        """Return a free port of 127.0.0.1, that of the last run if it is still free."""
        memory = self.home / "port"
        try:
            last = int(memory.read_text("ascii"))
        except (OSError, ValueError):
            last = None
        port = free_port(last)
        memory.write_text(f"{port}\n", "ascii")
        return port

    def subfolder(self, name: str, *, empty: bool = False) -> Path:
        """Return a folder in `data` that belongs to the server's user, made when missing.

        Args:
            name: of the folder.
            empty: whether to remove what is there first.
        """
        folder = self.data / name
        if empty:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.user is not None:
            os.chown(folder, self.user.uid, self.user.gid)
        return folder


def refuse_on_platform(environ: Mapping[str, str]) -> None:
    """Refuse to go on where real resources are.

    Raises:
        DevError: `MSP` is true, or `K_SERVICE`, `CLOUD_RUN_JOB` or `KUBERNETES_SERVICE_HOST` is
            set.
    """
    if Platform.of(environ) is not Platform.LOCAL:
        where = Platform.of(environ).value
        raise DevError(f"dev resources are for a laptop, not for {where}: use the real resources")
    if environ.get("MSP", "") in _TRUE:
        raise DevError("dev resources are not allowed with MSP=true: unset MSP")


_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})


@contextlib.asynccontextmanager
async def server_folder(
    folder: Path, *, unprivileged: bool = False, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[ServerFolder]:
    """Hold a folder for one server; its content is kept between runs.

    Args:
        folder: made when missing. One process holds it at a time.
        unprivileged: whether the server refuses root; when we are root it then runs as `nobody`.
        environ: where `refuse_on_platform` looks.

    Raises:
        DevError: another process holds the folder, or we are on a platform.
    """
    refuse_on_platform(environ)
    user = unprivileged_user() if unprivileged else None
    home = folder.absolute()
    home.mkdir(parents=True, exist_ok=True)
    async with _locked(home) as lock:
        (home / "log").write_bytes(b"")
        data = home
        if user is not None and not user.may_enter(home):
            data = shared_folder(home)
            data.mkdir(exist_ok=True)
            data.chmod(0o711)
        yield ServerFolder(home=home, data=data, user=user, lock=lock.fileno())


async def forget_folder(folder: Path) -> None:
    """Remove what a server kept in a folder, wherever it is.

    Raises:
        DevError: a process holds the folder.
    """
    if not folder.exists():
        return
    async with _locked(folder.absolute()):
        if os.geteuid() == 0:
            shutil.rmtree(shared_folder(folder.absolute()), ignore_errors=True)
        # The lock stays: whoever waits for it must not be left with one that nobody else sees.
        for kept in folder.iterdir():
            if kept.is_dir():
                shutil.rmtree(kept)
            elif kept.name != _LOCK:
                kept.unlink()


@contextlib.asynccontextmanager
async def _locked(folder: Path) -> AsyncIterator[TextIO]:
    patience = Deadline.after(_GUARDS_LAST_WORK)
    with (folder / _LOCK).open("a+", encoding="ascii") as lock:
        while not _take(lock):
            owner = _owner(lock)
            if owner is not None:
                raise DevError(f"folder {folder} is in use by process {owner}: stop that one first")
            if not patience.remaining():
                raise DevError(f"folder {folder} is still in use by a server of a killed process")
            await asyncio.sleep(_POLL)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


def _take(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(lock: TextIO) -> int | None:
    """Return the process that took the lock, None when it is gone and only its guards hold it."""
    lock.seek(0)
    text = lock.read()
    try:
        os.kill(int(text), 0)
    except (ValueError, ProcessLookupError):
        return None
    except PermissionError:
        pass
    return int(text)
