"""StartedResource: a dev resource that runs, and how other processes find it and use it, too.

In a resource's folder the file `running` holds its variables while it runs, and a shared lock on
that file says "I use it". A guard whose owner is gone stops its server once nobody does.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from msp_core.dev._lock import RUNNING, gate, is_held, is_used, take

_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})


class StartedResource(dict[str, str]):
    """The variables of a dev resource that runs, and what `msp dev` says and does about it.

    Args:
        variables: `{"PGDSN": …}`.
        server: what runs, `PostgreSQL 18.1`; default empty: nothing to say.
        clients: command lines that open it by hand, by name: `{"psql": ["psql", …]}`.
        joined: whether another process started it. Default False.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        server: str = "",
        clients: Mapping[str, Sequence[str]] = _NOTHING,
        joined: bool = False,
    ) -> None:
        super().__init__(variables)
        self.server = server
        self.clients = clients
        self.joined = joined

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> StartedResource:
        """Return what a dev resource gave, which may be plain variables."""
        return variables if isinstance(variables, cls) else cls(variables)


def publish(folder: Path, started: StartedResource) -> None:
    """Let others join a resource; does nothing when it does not hold its folder."""
    record = {"variables": started, "server": started.server, "clients": dict(started.clients)}
    if not (folder / RUNNING).exists():
        return
    with gate(folder):
        if is_held(folder):
            (folder / RUNNING).write_text(json.dumps(record, indent=2), "utf-8")


def withdraw(folder: Path) -> bool:
    """Let nobody join any more; return False, and change nothing, when others use it."""
    with gate(folder):
        if is_used(folder):
            return False
        (folder / RUNNING).write_bytes(b"")
        return True


@contextlib.contextmanager
def join_running(folder: Path) -> Iterator[StartedResource | None]:
    """Use what runs in a folder: it runs until this context is left. None when nothing runs."""
    with contextlib.ExitStack() as use:
        started = _try_to_join(folder, use)
        if started is None:
            use.close()
        yield started


@contextlib.contextmanager
def running_resources(folder: Path) -> Iterator[dict[str, StartedResource]]:
    """Use every dev resource that runs below a folder; they run until this context is left.

    Args:
        folder: that of `msp dev`, `DATA_FOLDER`; need not exist.

    Yields:
        The resources by name of the integration.
    """
    homes = sorted(folder.iterdir()) if folder.is_dir() else []
    with contextlib.ExitStack() as uses:
        found = {home.name: uses.enter_context(join_running(home)) for home in homes}
        yield {name: started for name, started in found.items() if started is not None}


def _try_to_join(folder: Path, use: contextlib.ExitStack) -> StartedResource | None:
    try:
        file = use.enter_context((folder / RUNNING).open("r+", encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None  # nothing ever ran here, or not for us
    with gate(folder):
        started = _parse(file) if is_held(folder) else None
        # Who gets no share meets a guard that is about to stop the server.
        return started if started is not None and take(file, fcntl.LOCK_SH) else None


def _parse(file: TextIO) -> StartedResource | None:
    """Return what the file says; None while it says nothing, or not all."""
    try:
        record = json.load(file)
    except ValueError:
        return None
    rest = {"server": record["server"], "clients": record["clients"]}
    return StartedResource(record["variables"], **rest, joined=True)
