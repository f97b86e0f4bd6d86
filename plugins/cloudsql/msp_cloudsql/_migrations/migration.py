"""Migration: one file of SQL, and what became of a folder of them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import attrs

from msp_cloudsql._migrations.errors import MigrationFilesError
from msp_cloudsql._migrations.statements import Statement, statements

_NAME = re.compile(r"(\d+)_[\w-]+\.sql")
_PACKAGE = "ship the files *.sql as data of the package, in the wheel too"
_OPTION = re.compile(r"--\s*msp:\s*(.*?)\s*(\n|$)")
_TRANSACTION = re.compile(r"(begin|start|commit|end|abort|rollback(?! to)|prepare transaction)\b")


@attrs.frozen(kw_only=True)
class Migration:
    """One step of a database's schema.

    Attributes:
        version: its number, from 1, without gaps.
        name: of the file, `0001_visits.sql`.
        checksum: SHA-256 of the file in hexadecimal; line ends count as a line feed.
        transaction: whether all of it happens or nothing; False after `-- msp: no transaction`.
        statements: in order.
    """

    version: int
    name: str
    checksum: str
    transaction: bool
    statements: tuple[Statement, ...] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class MigrationReport:
    """What a call of `migrate` came to.

    Attributes:
        applied: by this call.
        skipped: that were there before, or that somebody else applied meanwhile.
        ahead: names of migrations that the database has and the folder lacks.
        head: the database's highest version; 0 without any.
        seconds: all of it took, waiting included.
    """

    applied: tuple[Migration, ...]
    skipped: tuple[Migration, ...]
    ahead: tuple[str, ...]
    head: int
    seconds: float


def read_migrations(directory: Path) -> tuple[Migration, ...]:
    """Return the migrations of a folder in order; files other than `*.sql` do not matter.

    Raises:
        MigrationFilesError: there are none, two have one number, a number is left out, or a file
            cannot be used.
    """
    if not directory.is_dir():
        raise MigrationFilesError(f"{directory} is not there: {_PACKAGE}")
    found = sorted((_read(path) for path in directory.glob("[!.]*.sql")), key=_order)
    if not found:
        raise MigrationFilesError(
            f"{directory} holds no migration, expected 0001_name.sql: {_PACKAGE}"
        )
    for number, migration in enumerate(found, 1):
        if migration.version < number:
            raise MigrationFilesError(
                f"{migration.name} has the number of {found[number - 2].name}: "
                "give the newer one the next number"
            )
        if migration.version > number:
            raise MigrationFilesError(
                f"{migration.name} comes where number {number} is expected: leave none out"
            )
    return tuple(found)


def _order(migration: Migration) -> tuple[int, str]:
    return migration.version, migration.name


def _read(path: Path) -> Migration:
    matched = _NAME.fullmatch(path.name)
    if matched is None or int(matched[1]) == 0:
        raise MigrationFilesError(f"{path.name} has no number: expected a name like 0001_name.sql")
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise MigrationFilesError(f"{path.name} cannot be read ({reason}): mend that") from None
    except UnicodeDecodeError:
        raise MigrationFilesError(f"{path.name} is not UTF-8: save it as that") from None
    return Migration(
        version=int(matched[1]),
        name=path.name,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        transaction=_transaction(path.name, text),
        statements=tuple(_check_allowed(path.name, text)),
    )


def _transaction(name: str, text: str) -> bool:
    option = _OPTION.match(text)
    if option is not None and option[1] != "no transaction":
        raise MigrationFilesError(
            f"{name}, line 1: expected `-- msp: no transaction`, which is the only option"
        )
    return option is None


def _check_allowed(name: str, text: str) -> list[Statement]:
    """Return the statements; a file that ends its own transaction could be applied by half."""
    found = list(statements(text))
    for statement in found:
        if _TRANSACTION.match(statement.head):
            raise MigrationFilesError(
                f"{name}, line {statement.line}: begins or ends a transaction: remove the "
                "statement, for each file has one of its own unless it says otherwise"
            )
    return found
