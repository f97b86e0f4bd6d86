"""PostgreSQLVisits: the counter in PostgreSQL."""

from __future__ import annotations

import logging

import attrs

from msp_cloudsql import CloudSQL

logger = logging.getLogger(__name__)

_DATABASE = "primary"

# Two instances that start at the same moment would both try to create the table, and PostgreSQL
# lets one of them fail in spite of IF NOT EXISTS: the lock makes the second wait.
_PREPARE = """
SELECT pg_advisory_xact_lock(hashtext('msp-example'));
CREATE TABLE IF NOT EXISTS visits (page text PRIMARY KEY, count bigint NOT NULL);
"""

_ADD = """
INSERT INTO visits (page, count) VALUES ('/visits', 1)
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
        """Create the table unless it exists, and log who we are to the server."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            await connection.execute(_PREPARE)
            row = await (await connection.execute("SELECT current_user")).fetchone()
        logger.info("connected to PostgreSQL", extra={"user": row and row[0]})

    async def ping(self) -> None:
        """Raise unless PostgreSQL answers."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            await connection.execute("SELECT 1")

    async def add(self) -> int:
        """Count one visit and return how many there were."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            row = await (await connection.execute(_ADD)).fetchone()
        if row is None:
            raise AssertionError
        return int(row[0])

    async def by_page(self) -> dict[str, int]:
        """Return how many visits each page had."""
        async with self.cloudsql.pool(_DATABASE).connection() as connection:
            rows = await (await connection.execute("SELECT page, count FROM visits")).fetchall()
        return {page: int(count) for page, count in rows}
