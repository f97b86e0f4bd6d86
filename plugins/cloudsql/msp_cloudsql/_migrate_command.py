"""`msp migrate`: brings a service's database to the state that its migrations describe.

`--format json` prints one object:

    {"database": str,
     "state": "current" | "ahead" | "behind" | "changed" | "interrupted" | "locked" | "failed" |
              "invalid",
     "message": str | null,
     "head": int | null, "applied": [str], "skipped": [str], "ahead": [str],
     "seconds": float | null}

`message` is null for `current`, and for an `ahead` that is no error: the database has everything
that the folder holds, and more. For every other state the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from msp_cloudsql._cloudsql import CloudSQL
from msp_cloudsql._migrations.errors import MigrationError
from msp_cloudsql._migrations.migration import MigrationReport
from msp_cloudsql._service_migrations import migrations_folder
from msp_core import open_contract
from msp_core.commands import (
    ServiceArguments,
    add_format,
    add_service_arguments,
    render_json,
    service_name,
)
from msp_core.contract import JobContract
from msp_core.dev import DATA_FOLDER, refuse_on_platform, running_resources
from msp_core.errors import DevError, MSPError
from msp_core.hookspecs import hookimpl
from msp_core.integration import Command


@attrs.frozen
class MigrationOutcome:
    """What `--format json` prints.

    Attributes:
        database: its name.
        state: one word for machines.
        message: what is wrong; None when nothing is.
        head: highest version that the database has; None when it is not known.
        applied: file names of the migrations that were applied now.
        skipped: file names of those that were applied before.
        ahead: names of migrations that the database has and the folder has not.
        seconds: that it took; None when it was not done.
    """

    database: str
    state: str
    message: str | None = None
    head: int | None = None
    applied: Sequence[str] = ()
    skipped: Sequence[str] = ()
    ahead: Sequence[str] = ()
    seconds: float | None = None


@hookimpl
def msp_commands() -> list[Command]:
    """Add `msp migrate`."""
    return [
        Command(
            name="migrate",
            help="apply the migrations that a service's database lacks",
            configure=_configure,
            run=lambda arguments: _run(arguments, os.environ),
        )
    ]


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    parser.add_argument("--database", default="primary", help="its name; default %(default)s")
    parser.add_argument(
        "--directory",
        type=Path,
        metavar="FOLDER",
        help="of the migrations; default what the service's attribute `migrations` says, else "
        "`migrations` in its package",
    )
    parser.add_argument(
        "--check", action="store_true", help="apply nothing; leave with 1 when anything is to do"
    )
    for name, default, what in (
        ("lock", 60.0, "to wait for another process that migrates; default %(default)g"),
        ("statement", None, "for each statement; default the server's own limit"),
    ):
        parser.add_argument(
            f"--{name}-timeout", type=float, default=default, metavar="SECONDS", help=what
        )
    add_format(parser, "text", "json")


def _run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    service = ServiceArguments.of(arguments).find()
    if arguments.directory is None:
        arguments.directory = migrations_folder(service)
    try:
        with _progress(), _with_running_database(environ) as variables:
            report = asyncio.run(_migrate(service, arguments, variables))
    except (MigrationError, _DatabaseError) as error:
        if arguments.format == "json":
            _print_json(MigrationOutcome(arguments.database, error.state, str(error)))
        raise
    if arguments.format == "json":
        _print_report(arguments.database, report)
    else:
        sys.stdout.write(
            f"database {arguments.database}: {len(report.applied)} applied, "
            f"{len(report.skipped)} skipped, head {report.head}, {report.seconds:.2f} s\n"
        )
    return 0


@contextmanager
def _with_running_database(environ: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Add the variables of the database that `msp dev` runs here, unless another is asked for."""
    if not _may_be_embedded(environ):
        yield environ
        return
    with running_resources(DATA_FOLDER) as running:
        yield {**running.get("cloudsql", {}), **environ}


def _may_be_embedded(environ: Mapping[str, str]) -> bool:
    if "PGDSN" in environ or "PGINSTANCE" in environ:
        return False
    try:
        refuse_on_platform(environ)
    except DevError:
        return False
    return True


class _DatabaseError(MSPError):
    """The server is not there, or refused what is no statement of a migration."""

    state = "failed"


@attrs.frozen
class _Migration:
    """What stands in for the service, whose own variables do not matter here.

    Attributes:
        name: the service's, under which the server lists the connection.
        version: the service's.
    """

    name: str
    version: str

    @hookimpl
    def msp_execute(self, contract: JobContract) -> None:
        """Make it a job: a migration has no port."""


async def _migrate(
    service: object, arguments: argparse.Namespace, environ: Mapping[str, str]
) -> MigrationReport:
    job = _Migration(service_name(service), getattr(service, "version", ""))
    chosen = ServiceArguments.of(arguments)
    async with open_contract(
        environ,
        job,
        plugins=chosen.plugins or ("cloudsql",),
        distribution=chosen.distribution,
    ) as contract:
        cloudsql = contract[CloudSQL]
        from psycopg import Error  # noqa: PLC0415 - vendor library: imported where it is used

        try:
            return await cloudsql.migrate(
                arguments.database,
                arguments.directory,
                check=arguments.check,
                lock_timeout=arguments.lock_timeout,
                statement_timeout=arguments.statement_timeout,
            )
        except Error as error:
            raise _DatabaseError(f"database {arguments.database!r}: {error}") from None


@contextmanager
def _progress() -> Iterator[None]:
    """Show on stderr what is applied, and who is waited for."""
    logger, handler = logging.getLogger("msp.cloudsql.migrations"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("msp: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def _print_report(database: str, report: MigrationReport) -> None:
    _print_json(
        MigrationOutcome(
            database=database,
            state="ahead" if report.ahead else "current",
            head=report.head,
            applied=[each.name for each in report.applied],
            skipped=[each.name for each in report.skipped],
            ahead=report.ahead,
            seconds=report.seconds,
        )
    )


def _print_json(outcome: MigrationOutcome) -> None:
    sys.stdout.write(f"{render_json(outcome)}\n")
