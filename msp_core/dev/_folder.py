"""ServerFolder: where one dev server keeps its data, held by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import attrs

from msp_core.config._go import parse_bool
from msp_core.dev import _lock
from msp_core.dev._ports import free_port
from msp_core.dev._user import ServerUser, make_outside, path_outside, unprivileged_user
from msp_core.errors import DevError
from msp_core.platforms import Platform

DATA_FOLDER = Path(".msp")
_FOLDER_ERRORS = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EDQUOT", "EEXIST", "EISDIR", "ENOSPC", "ENOTDIR", "EPERM", "EROFS")
)


@attrs.frozen(kw_only=True)
class ServerFolder:
    """A folder that one process holds until it left it and its servers have ended.

    Attributes:
        home: the folder that was asked for, absolute; holds lock, log and last port.
        data: where the server may keep its data; equal to `home` unless the server's user cannot
            enter that, then a folder below /var/tmp.
        user: whom the server runs as; None for ourselves.
        lock: file descriptor of the lock, which the guards share.
    """

    home: Path
    data: Path
    user: ServerUser | None
    lock: int

    @property
    def log(self) -> Path:
        """The file with what the servers of this run printed."""
        return self.home / "log"

    def port(self, *, name: str = "port") -> int:
        """Return a free port of 127.0.0.1, that of the last run when it is still free.

        Args:
            name: of the file in `home` that remembers it; another for each port of a server.
        """
        memory = self.home / name
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


@contextlib.asynccontextmanager
async def server_folder(
    folder: Path, *, unprivileged: bool = False, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[ServerFolder]:
    """Hold a folder for one server; its content is kept between runs.

    Args:
        folder: made when missing.
        unprivileged: whether the server refuses root; when we are root it then runs as `nobody`.
        environ: where `refuse_on_platform` looks; not read for anything else.

    Raises:
        DevError: another process holds the folder, or we are on a platform.
    """
    refuse_on_platform(environ)
    home = _make_folder(folder)
    async with _lock.hold_lock(home) as lock:
        yield _open_folder(home, unprivileged_user() if unprivileged else None, lock)


async def forget_folder(folder: Path) -> None:
    """Remove what a server kept in a folder, wherever it is.

    Raises:
        DevError: a process holds the folder.
    """
    home = _make_folder(folder)
    async with _lock.hold_lock(home):
        _empty_folder(home)


def unusable(folder: Path, error: OSError) -> Exception:
    """Return what to raise for an error: a sentence when a folder cannot be used, else itself."""
    if error.errno is None or error.errno not in _FOLDER_ERRORS:
        return error
    return DevError(
        f"{error.filename or folder}: {os.strerror(error.errno).lower()}, expected a folder that "
        "can be written, with space on its disk: mend that, or name another with --data"
    )


def refuse_on_platform(environ: Mapping[str, str]) -> None:
    """Refuse to go on where real resources are.

    Raises:
        DevError: `K_SERVICE`, `CLOUD_RUN_JOB` or `KUBERNETES_SERVICE_HOST` is set, or `MSP` is
            true.
    """
    platform = Platform.of(environ)
    if platform is not Platform.LOCAL:
        raise DevError(f"dev resources do not run on {platform.value}: use the real resources")
    # What is no boolean is the service's problem to report.
    with contextlib.suppress(ValueError):
        if parse_bool(environ.get("MSP", "false")):
            raise DevError("dev resources do not run with MSP=true: unset MSP")


def _make_folder(folder: Path) -> Path:
    home = folder.absolute()
    home.mkdir(parents=True, exist_ok=True)
    return home


def _open_folder(home: Path, user: ServerUser | None, lock: int) -> ServerFolder:
    data = home
    if user is not None and not user.may_enter(home):
        data = make_outside(home)
    opened = ServerFolder(home=home, data=data, user=user, lock=lock)
    opened.log.write_bytes(b"")
    return opened


def _empty_folder(home: Path) -> None:
    shutil.rmtree(path_outside(home), ignore_errors=True)
    for kept in home.iterdir():
        if kept.is_dir():
            shutil.rmtree(kept)
        elif kept.name not in _lock.FILES:  # others lock the same ones
            kept.unlink()
