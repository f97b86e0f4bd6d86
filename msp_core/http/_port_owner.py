"""PortOwner: which process listens on a port, where the system shows it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import attrs

# What Linux shows of its processes; there is none on other systems.
PROC = Path("/proc")

# State of a listening socket in the kernel's tables.
_LISTENS = "0A"


@attrs.frozen(kw_only=True)
class PortOwner:
    """The process that listens on a port; nothing else of it is looked at.

    Attributes:
        pid: its id.
        name: of its program, the first 15 characters.
    """

    pid: int
    name: str


def port_owner(port: int) -> PortOwner | None:
    """Return the process that listens on the port; None where the system does not show it.

    Linux shows it of one's own processes, and to root of all.
    """
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for pid in _pids() if sockets else ():
        # Processes end while they are looked at, and those of others may not be.
        with contextlib.suppress(OSError):
            if not sockets.isdisjoint(_open_files(pid)):
                return PortOwner(pid=pid, name=(PROC / str(pid) / "comm").read_text().strip())
    return None


def _inodes(port: int) -> Iterator[str]:
    """Yield the numbers of the sockets that listen on the port, on any address."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                _, local, _, state, *others = line.split()
                if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                    yield others[5]


def _pids() -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def _open_files(pid: int) -> Iterator[str]:
    folder = PROC / str(pid) / "fd"
    for number in os.listdir(folder):  # noqa: PTH208 - names are all that is needed
        with contextlib.suppress(OSError):
            yield os.readlink(folder / number)  # noqa: PTH115 - `socket:[…]` is no path
