"""The lock on a dev server's folder."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, TextIO

from msp_core.deadline import Deadline
from msp_core.errors import DevError

RUNNING = "running"
FILES = frozenset({"lock", "gate", RUNNING})
_GUARDS_LAST_WORK = 15.0  # seconds the guards of a killed process may need to stop its servers
_POLL = 0.02


class FolderInUseError(DevError):
    """A living process holds the folder.

    Attributes:
        holder: who, `process 4711` or `other commands`.
    """

    def __init__(self, folder: Path, holder: str, way_out: str) -> None:
        super().__init__(f"folder {folder} is in use by {holder}: {way_out}")
        self.holder = holder


@contextlib.asynccontextmanager
async def hold_lock(folder: Path, *, patience: float = _GUARDS_LAST_WORK) -> AsyncIterator[int]:
    """Hold the lock of a folder; it stays held while a guard that inherited it runs.

    Nothing runs in a folder whose lock was just taken, so `running` is emptied.

    Args:
        folder: an existing folder.
        patience: seconds to wait for the guards of a process that is gone.

    Yields:
        The lock's file descriptor, for guards to inherit.

    Raises:
        FolderInUseError: a living process holds it, or others use what the guards run.
        DevError: the guards did not end.
    """
    deadline = Deadline.after(patience)
    with (folder / "lock").open("a+", encoding="ascii") as lock:
        while not _take_over(folder, lock):
            owner = _read_owner(lock)
            if owner is not None:
                raise FolderInUseError(folder, f"process {owner}", "stop that one first")
            if is_used(folder):
                raise FolderInUseError(folder, "other commands", "stop them first")
            if not deadline.remaining():
                raise DevError(f"folder {folder} is in use by a server whose owner was killed")
            await asyncio.sleep(_POLL)
        yield lock.fileno()


@contextlib.contextmanager
def gate(folder: Path) -> Iterator[None]:
    """Keep out all others who look at the locks of a folder, to look and act in one step.

    It is held for moments, so the event loop may wait for it.
    """
    with (folder / "gate").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_held(folder: Path) -> bool:
    """Return whether anybody holds the lock of a folder; call it within its gate."""
    with (folder / "lock").open("a+", encoding="ascii") as lock:
        return not take(lock)


def is_used(folder: Path) -> bool:
    """Return whether others than the lock's holders use what runs in the folder."""
    try:
        with (folder / RUNNING).open("r+b") as file:
            return bool(file.read()) and not take(file)
    except FileNotFoundError:
        return False


def take(file: IO[str] | IO[bytes], kind: int = fcntl.LOCK_EX) -> bool:
    """Return whether a lock on an open file could be had at once; it ends with the file."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_over(folder: Path, lock: TextIO) -> bool:
    with gate(folder):
        if not take(lock):
            return False
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        os.close(os.open(folder / RUNNING, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        return True


def _read_owner(lock: TextIO) -> int | None:
    """Return the process that took the lock, None when it is gone and only its guards hold it."""
    lock.seek(0)
    text = lock.read()
    try:
        os.kill(int(text), 0)
    except (ValueError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # it exists and is another user's
    return int(text)
