"""Database: an empty one on a real server, with a folder of migrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import psycopg

from msp_cloudsql import CloudSQLConfig, MigrationReport
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load


@attrs.frozen
class Database:
    """An empty database, and a folder of migrations for it.

    Attributes:
        name: of the database.
        folder: of the migrations.
        environ: with `PGDSN`.
        contract: of the service that migrates.
    """

    name: str
    folder: Path
    environ: Mapping[str, str]
    contract: Contract

    def write(self, **files: str) -> None:
        """Write files; `_1_a` becomes `1_a.sql`."""
        for name, text in files.items():
            (self.folder / f"{name.removeprefix('_')}.sql").write_text(text)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.folder / f"{name}.sql").unlink()

    async def migrate(self, **options: Any) -> MigrationReport:
        """Migrate it as a process of its own would."""
        config = load(CloudSQLConfig, self.environ)
        async with open_cloudsql(config, self.contract) as cloudsql:
            return await cloudsql.migrate(self.name, self.folder, **options)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection in autocommit mode."""
        dsn = self.environ["PGDSN"].replace("{{ .Database }}", self.name)
        return psycopg.connect(dsn, autocommit=True)

    def query(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def execute(self, statement: str) -> None:
        """Carry out a statement."""
        with self.connect() as connection:
            connection.execute(statement.encode())

    @property
    def recorded(self) -> list[tuple[Any, ...]]:
        """Version, name and whether it came to its end, of each row of `msp_migrations`."""
        return self.query(
            "SELECT version, name, applied_at IS NOT NULL AND seconds > 0 FROM msp_migrations"
            " ORDER BY version"
        )
