"""The lock on a dev server's folder."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TextIO

from msp_core.deadline import Deadline
from msp_core.errors import DevError

NAME = "lock"
_GUARDS_LAST_WORK = 15.0  # seconds the guards of a killed process may need to stop its servers
_POLL = 0.02


@contextlib.asynccontextmanager
async def locked(folder: Path, *, patience: float = _GUARDS_LAST_WORK) -> AsyncIterator[int]:
    """Hold the lock of a folder; it stays held while a guard that inherited it runs.

    Args:
        folder: an existing folder.
        patience: seconds to wait for the guards of a process that is gone.

    Yields:
        The lock's file descriptor, for guards to inherit.

    Raises:
        DevError: a living process holds it, or the guards did not end.
    """
    deadline = Deadline.after(patience)
    with (folder / NAME).open("a+", encoding="ascii") as lock:
        while not _take(lock):
            owner = _owner(lock)
            if owner is not None:
                raise DevError(f"folder {folder} is in use by process {owner}: stop that one first")
            if not deadline.remaining():
                raise DevError(f"folder {folder} is in use by a server whose owner was killed")
            await asyncio.sleep(_POLL)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


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
        pass  # it exists and is another user's
    return int(text)
