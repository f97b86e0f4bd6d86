"""A server that refuses root runs as somebody else, who can reach what it needs."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from msp_core.dev import ServerUser, reachable_copy, unprivileged_user
from msp_core.dev import _user as _dev_user
from msp_core.dev._user import make_outside, path_outside
from msp_core.errors import DevError

STRANGER = ServerUser(54321, 54321)


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a folder of the test's own in place of the one below /var/tmp."""
    folder = tmp_path / "shared"
    monkeypatch.setattr(_dev_user, "_SHARED", folder)
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Give an installed package with a program that nobody else can run."""
    package = tmp_path / "site-packages" / "server"
    package.mkdir(parents=True)
    (package / "readme").write_text("hello")
    program = package / "run"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    package.chmod(0o700)
    return package


def test_root_runs_servers_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL refuses root, and wants a user with an entry in the user database."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    user = unprivileged_user()

    assert user is not None
    assert pwd.getpwuid(user.uid).pw_name == "nobody"


def test_anybody_else_runs_servers_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changes without root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert unprivileged_user() is None


def test_says_when_there_is_no_user_to_fall_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minimal image without `nobody` gets a sentence, not a KeyError."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(_dev_user, "_NAME", "no-such-user")

    with pytest.raises(DevError, match="user 'no-such-user' does not exist"):
        unprivileged_user()


@pytest.mark.parametrize(
    ("user", "mode", "may"),
    [
        (ServerUser(os.geteuid(), 54321), 0o100, True),
        (ServerUser(os.geteuid(), 54321), 0o611, False),
        (ServerUser(54321, os.getegid()), 0o710, True),
        (ServerUser(54321, os.getegid()), 0o701, False),
        (STRANGER, 0o701, True),
        (STRANGER, 0o710, False),
    ],
)
def test_judges_a_folder_by_the_bits_meant_for_the_user(
    user: ServerUser, mode: int, *, may: bool, tmp_path: Path
) -> None:
    """As the kernel does: owner's, else group's, else everybody's."""
    folder = tmp_path / "folder"
    folder.mkdir()
    os.chown(folder, os.geteuid(), os.getegid())
    folder.chmod(mode)
    status = folder.stat()
    folder.chmod(0o700)

    assert user._may_search(status) is may


def test_a_folder_below_a_private_one_cannot_be_entered(tmp_path: Path) -> None:
    """A project in a private home is out of reach, however open itself."""
    (tmp_path / "home" / "project").mkdir(parents=True)
    (tmp_path / "home").chmod(0o700)

    assert not STRANGER.may_enter(tmp_path / "home" / "project")
    assert STRANGER.may_enter(Path("/"))


def test_programs_within_reach_are_used_where_they_are(package: Path) -> None:
    """Nothing is copied without need."""
    assert reachable_copy(None, package) == package
    assert reachable_copy(STRANGER, Path("/")) == Path("/")


def test_programs_out_of_reach_are_copied_with_their_libraries(package: Path) -> None:
    """The copy keeps its neighbours, and everybody can read and run what we can."""
    libraries = package.with_name("server.libs")
    libraries.mkdir()

    copy = reachable_copy(STRANGER, package, libraries, package.with_name("missing"))

    assert copy.with_name("server.libs").is_dir()
    assert [copy.stat().st_mode & 0o777, (copy / "run").stat().st_mode & 0o777] == [0o755, 0o755]
    assert (copy / "readme").stat().st_mode & 0o444 == 0o444
    assert not copy.with_name("missing").exists()


def test_a_copy_is_made_once(package: Path) -> None:
    """The second run uses the copy of the first; a new version gets its own."""
    first = reachable_copy(STRANGER, package)
    again = reachable_copy(STRANGER, package)
    os.utime(package, (1, 1))

    assert again == first
    assert reachable_copy(STRANGER, package) != first


def test_a_place_outside_can_be_entered_by_all_and_is_found_again(tmp_path: Path) -> None:
    """Data kept outside a private home is found on the next run."""
    made = make_outside(tmp_path)

    assert made.stat().st_mode & 0o777 == 0o711
    assert made == make_outside(tmp_path) == path_outside(tmp_path)


def test_refuses_a_shared_folder_that_somebody_else_made(
    shared: Path, tmp_path: Path, package: Path
) -> None:
    """Who can write to /var/tmp cannot lead our servers elsewhere, nor give us programs."""
    (tmp_path / "elsewhere").mkdir()
    shared.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DevError, match="belongs to another user"):
        make_outside(tmp_path)
    with pytest.raises(DevError, match="belongs to another user"):
        reachable_copy(STRANGER, package)
