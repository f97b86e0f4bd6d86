"""PostgreSQLVisits: the counter in PostgreSQL."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs

from msp_cloudsql import CloudSQL

logger = logging.getLogger(__name__)

_DATABASE = "primary"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

_ADD = """
INSERT INTO visits (page, count) VALUES (%s, 1)
ON CONFLICT (page) DO UPDATE SET count = visits.count + 1
RETURNING count
"""


@attrs.frozen
class PostgreSQLVisits:
    """Counts visits in a table of the database `primary`.

    Attributes:
        cloudsql: gives the connection pool.
    """

    cloudsql: CloudSQL

    async def prepare(self) -> None:
        """Bring the schema up to date, and log who we are to the server."""
        await self.cloudsql.migrate(_DATABASE, MIGRATIONS)
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            row = await (await connection.execute("SELECT current_user")).fetchone()
        logger.info("connected to PostgreSQL", extra={"user": row and row[0]})

    async def ping(self) -> None:
        """Raise unless PostgreSQL answers."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            await connection.execute("SELECT 1")

    async def add(self, page: str) -> int:
        """Count one visit to a page and return how many there were."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            row = await (await connection.execute(_ADD, (page,))).fetchone()
        if row is None:
            raise AssertionError
        return int(row[0])

    async def by_page(self) -> dict[str, int]:
        """Return how many visits each page had."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            rows = await (await connection.execute("SELECT page, count FROM visits")).fetchall()
        return {page: int(count) for page, count in rows}
