"""A dev server's folder is held by one process, keeps data, and stays off platforms."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from msp_core.dev import ServerUser, forget_folder, free_port, refuse_on_platform, server_folder
from msp_core.dev import _folder as _dev_folder
from msp_core.dev import _lock as _dev_lock
from msp_core.dev import _user as _dev_user
from msp_core.errors import DevError

HOLD = """
import fcntl, subprocess, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print(file=lock, end=sys.argv[2], flush=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the path of a folder that does not exist yet."""
    return tmp_path / "data" / "server"


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerUser:
    """Have servers run as a user that cannot enter this test's folder."""
    user = ServerUser(54321, 54321)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(_dev_folder, "unprivileged_user", lambda: user)
    monkeypatch.setattr(_dev_user, "_SHARED", tmp_path / "shared")
    return user


def held_by(owner: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the lock of a folder, on behalf of `owner`."""
    folder.mkdir(parents=True)
    argv = [sys.executable, "-c", HOLD, str(folder / "lock"), owner]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as holder:  # noqa: S603 - our own program
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder


@pytest.fixture
def held_by_us(folder: Path) -> Iterator[object]:
    """Have a lock held in the name of a living process."""
    yield from held_by(str(os.getpid()), folder)


@pytest.fixture
def held_by_a_guard(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Have a lock held in the name of a process that is gone, as a guard does."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    yield from held_by(str(gone.pid), folder)


async def test_makes_the_folder_with_an_empty_log(folder: Path) -> None:
    """A first run needs no preparation."""
    async with server_folder(folder) as held:
        assert held.home == held.data == folder
        assert held.log.read_bytes() == b""
        assert held.user is None


async def test_keeps_the_port_between_runs(folder: Path) -> None:
    """Something that is connected to the server finds it again."""
    async with server_folder(folder) as held:
        first, second = held.port(), held.port(name="second-port")
    async with server_folder(folder) as held:
        assert (held.port(), held.port(name="second-port")) == (first, second)
        assert first != second


async def test_finds_a_port_when_the_memory_of_it_is_damaged(folder: Path) -> None:
    """A half-written file is no reason to fail."""
    async with server_folder(folder) as held:
        (folder / "port").write_text("eighty")

        assert held.port() > 0


async def test_a_folder_can_be_held_once(folder: Path) -> None:
    """A second run beside the first is told who has the folder; data is not touched."""
    async with server_folder(folder):
        with pytest.raises(DevError, match=f"is in use by process {os.getpid()}"):
            async with server_folder(folder):
                raise AssertionError


@pytest.mark.usefixtures("held_by_us")
async def test_names_the_other_process(folder: Path) -> None:
    """The user learns which process to stop."""
    with pytest.raises(DevError, match=f"is in use by process {os.getpid()}: stop that one first"):
        await forget_folder(folder)


async def test_another_users_process_counts_as_alive(
    folder: Path, held_by_us: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Being forbidden to signal it shows that it is there."""

    def kill(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)

    with pytest.raises(DevError, match="is in use by process"):
        await forget_folder(folder)


async def test_waits_for_the_guard_of_a_killed_process(
    folder: Path, held_by_a_guard: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting again right after `kill -9` works, once the old server has ended."""
    owner = _dev_lock._read_owner

    def seen(lock: object) -> int | None:
        assert held_by_a_guard.stdin is not None
        held_by_a_guard.stdin.close()
        return owner(lock)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(_dev_lock, "_read_owner", seen)

    async with server_folder(folder) as held:
        assert held.home == folder


@pytest.mark.usefixtures("held_by_a_guard")
async def test_does_not_wait_for_ever_for_a_guard(folder: Path) -> None:
    """A guard that hangs is said, not waited for."""
    with pytest.raises(DevError, match="is in use by a server whose owner was killed"):
        async with _dev_lock.hold_lock(folder, patience=0.0):
            raise AssertionError


async def test_a_subfolder_belongs_to_the_servers_user(folder: Path) -> None:
    """A server can write where it keeps its data, and nobody else can read it."""
    async with server_folder(folder) as held:
        made = held.subfolder("data")
        (made / "file").write_text("old")

        assert made.stat().st_mode & 0o777 == 0o700
        assert list(held.subfolder("data").iterdir()) == [made / "file"]
        assert not list(held.subfolder("data", empty=True).iterdir())


async def test_data_moves_to_where_the_servers_user_can_enter(
    folder: Path, tmp_path: Path, stranger: ServerUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root in a private home the server finds a place, which is forgotten with the rest."""
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "chown", lambda _, uid, gid: owners.append((uid, gid)))

    async with server_folder(folder, unprivileged=True) as held:
        assert held.user == stranger
        assert held.data.parent == tmp_path / "shared"

        made = held.subfolder("data")
    await forget_folder(folder)

    assert owners == [(stranger.uid, stranger.gid)]
    assert not made.exists()


async def test_data_stays_where_the_servers_user_can_enter(
    stranger: ServerUser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open folder is used itself."""
    monkeypatch.setattr(ServerUser, "may_enter", lambda *_: True)

    async with server_folder(folder, unprivileged=True) as held:
        assert held.data == folder


async def test_forgetting_removes_everything_but_the_locks(folder: Path) -> None:
    """Who waits for a lock meanwhile gets the same lock."""
    async with server_folder(folder) as held:
        held.port()
        (held.subfolder("data") / "file").write_text("old")
    await forget_folder(folder)

    assert set(os.listdir(folder)) == {"gate", "lock", "running"}  # noqa: PTH208 - as short as it gets


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({"K_SERVICE": "guestbook"}, "on cloud-run"),
        ({"CLOUD_RUN_JOB": "guestbook"}, "on cloud-run"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "on kubernetes"),
        ({"MSP": "true"}, "with MSP=true"),
        ({"MSP": "1"}, "with MSP=true"),
    ],
)
def test_refuses_a_platform(environ: dict[str, str], where: str, folder: Path) -> None:
    """An embedded server never stands in where the real resource is."""
    with pytest.raises(DevError, match=f"dev resources do not run {where}"):
        asyncio.run(_hold(folder, environ))

    assert not folder.exists()


async def _hold(folder: Path, environ: dict[str, str]) -> None:
    async with server_folder(folder, environ=environ):
        raise AssertionError


@pytest.mark.parametrize("environ", [{}, {"MSP": "false"}, {"MSP": ""}])
def test_runs_on_a_laptop(environ: dict[str, str]) -> None:
    """Nothing refuses where nothing says platform."""
    refuse_on_platform(environ)

    assert free_port() > 0
