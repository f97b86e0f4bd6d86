"""ServerUser: whom a server that refuses root runs as, and what that user can reach."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

import attrs

from msp_core.errors import DevError

_NAME = "nobody"
# Kept when the machine restarts, unlike /tmp, and open to every user on Linux and macOS.
_SHARED = Path("/var/tmp/msp-dev")  # noqa: S108 - its owner and mode are checked


@attrs.frozen
class ServerUser:
    """An unprivileged user.

    Attributes:
        uid: user id; has an entry in the system's user database.
        gid: that user's own group id; further groups are dropped.
    """

    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Return whether the folder and all above it let this user through."""
        folder = folder.resolve()
        return all(self._may_search(part.stat()) for part in (folder, *folder.parents))

    def _may_search(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def unprivileged_user() -> ServerUser | None:
    """Return whom a server that refuses root runs as: nobody when we are root, else None (us).

    Raises:
        DevError: we are root and the system has no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        raise DevError(
            f"user {_NAME!r} does not exist, expected it because servers refuse to run as root: "
            "create it, or do not run as root"
        ) from None
    return ServerUser(entry.pw_uid, entry.pw_gid)


def reachable_copy(user: ServerUser | None, folder: Path, *siblings: Path) -> Path:
    """Return the folder, or a copy of it when the user cannot enter it.

    Args:
        user: who has to run what is in the folder; None for ourselves.
        folder: installed programs, such as a wheel's package folder.
        siblings: folders beside it that the programs need, such as a wheel's `.libs`; those that
            exist are copied beside the copy.
    """
    if user is None or user.may_enter(folder):
        return folder
    shared = _make_shared_folder()
    target = shared / path_outside(folder, version=str(folder.stat().st_mtime_ns)).name
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=shared) as unfinished:
            made = Path(unfinished, "made")
            for part in (folder, *(each for each in siblings if each.exists())):
                shutil.copytree(part, made / part.name)
            _open_to_all(made)
            # Fails where somebody else was faster; theirs is as good.
            with contextlib.suppress(OSError):
                made.rename(target)
    return target / folder.name


def path_outside(folder: Path, *, version: str = "") -> Path:
    """Return the path below /var/tmp that stands for a folder some user cannot enter."""
    name = hashlib.sha256(f"{folder.resolve()}\n{version}".encode()).hexdigest()[:16]
    return _SHARED / name


def make_outside(folder: Path) -> Path:
    """Return that path as a folder of ours that every user can enter, made when missing."""
    made = _make_shared_folder() / path_outside(folder).name
    made.mkdir(exist_ok=True)
    made.chmod(0o711)
    return made


def _make_shared_folder() -> Path:
    _SHARED.mkdir(exist_ok=True)
    status = _SHARED.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        raise DevError(f"{_SHARED} belongs to another user, expected a folder of ours: remove it")
    _SHARED.chmod(0o711)
    return _SHARED


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
