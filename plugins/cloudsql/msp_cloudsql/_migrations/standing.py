"""Standing: how far a database is, seen from a folder of migrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from msp_cloudsql._migrations.errors import MigrationAheadError, MigrationChangedError
from msp_cloudsql._migrations.migration import Migration


@attrs.frozen(kw_only=True)
class Standing:
    """What the database has and lacks.

    Attributes:
        pending: migrations that it lacks, in order.
        begun: the one of them that began without coming to its end: it runs, or never will.
        ahead: names of migrations that it has and the folder lacks.
        head: its highest version; 0 without any.
    """

    pending: tuple[Migration, ...]
    begun: Migration | None
    ahead: tuple[str, ...]
    head: int

    @classmethod
    def of(cls, migrations: tuple[Migration, ...], rows: Sequence[Sequence[Any]]) -> Standing:
        """Compare a folder with the database.

        Args:
            migrations: of the folder.
            rows: of `msp_migrations`: version, name, checksum, and when it came to its end.

        Raises:
            MigrationChangedError: a file is not what it was when it was applied.
            MigrationAheadError: the folder and the database went different ways.
        """
        begun = {version for version, _, _, ended in rows if ended is None}
        applied = {version: row for version, *row in rows if version not in begun}
        for migration in migrations:
            name, checksum, _ = applied.get(migration.version, ("", migration.checksum, None))
            if checksum != migration.checksum:
                raise MigrationChangedError(
                    f"{migration.name} is not what was applied as {name}: restore the file, and "
                    "put the change into a new one"
                )
        pending = tuple(each for each in migrations if each.version not in applied)
        ahead = tuple(name for version, name, *_ in rows if version > len(migrations))
        if ahead and pending:
            raise MigrationAheadError(
                f"the database has {ahead[0]}, which the folder lacks, and lacks "
                f"{pending[0].name}: give the latter a number after the former"
            )
        return cls(
            pending=pending,
            begun=next((each for each in pending if each.version in begun), None),
            ahead=ahead,
            head=max(applied, default=0),
        )
