"""Why a database was not brought to the state that a folder of migrations describes."""

from __future__ import annotations

from typing import ClassVar

from msp_core.errors import MSPError


class MigrationError(MSPError):
    """Root of these errors.

    Attributes:
        state: one word for machines; `msp migrate --format json` prints it.
    """

    state: ClassVar[str]


class MigrationFilesError(MigrationError):
    """The folder is missing, or a file in it cannot be used. Nothing was asked of the database."""

    state = "invalid"


class MigrationBehindError(MigrationError):
    """The database lacks migrations of the folder; only raised where it was asked to check."""

    state = "behind"


class MigrationAheadError(MigrationError):
    """The database has migrations that the folder lacks, and lacks some that the folder has."""

    state = "ahead"


class MigrationChangedError(MigrationError):
    """A file is not what it was when it was applied."""

    state = "changed"


class MigrationInterruptedError(MigrationError):
    """A migration without a transaction began once, and did not come to its end."""

    state = "interrupted"


class MigrationLockError(MigrationError):
    """Somebody else migrates the database, for longer than we may wait."""

    state = "locked"


class MigrationFailedError(MigrationError):
    """The server refused a statement.

    Attributes:
        file: name of the migration.
        line: in it, from 1; None when the end of the transaction failed.
        sqlstate: the server's code; None when the connection was lost.
    """

    state = "failed"

    def __init__(self, text: str, *, file: str, line: int | None, sqlstate: str | None) -> None:
        super().__init__(text)
        self.file = file
        self.line = line
        self.sqlstate = sqlstate
