"""Migrator: brings one database to the state that a folder of migrations describes.

Imported where a database is migrated: this module imports psycopg.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from msp_cloudsql._instance.surroundings import PLATFORM_VERSION
from msp_cloudsql._migrations.errors import (
    MigrationBehindError,
    MigrationFailedError,
    MigrationInterruptedError,
    MigrationLockError,
)
from msp_cloudsql._migrations.migration import Migration, MigrationReport, read_migrations
from msp_cloudsql._migrations.newer_sql import newer_sql
from msp_cloudsql._migrations.standing import Standing
from msp_cloudsql._migrations.statements import Statement
from msp_cloudsql._telemetry.tracing import without_trace
from msp_core.deadline import Deadline

logger = logging.getLogger("msp.cloudsql.migrations")

_PAUSE = 0.5  # seconds between two looks at who migrates
_LOCK = b"1836281888, 1835624306"  # "msp " and "migr" in ASCII: nobody else's by accident
_TRY_LOCK = b"SELECT pg_try_advisory_lock(%b)" % _LOCK
_HOLDER = (
    b"""
SELECT format('process %%s (%%s, since %%s)', pid,
    coalesce(nullif(application_name, ''), 'unnamed'), backend_start)
FROM pg_locks JOIN pg_database ON oid = database LEFT JOIN pg_stat_activity USING (pid)
WHERE (classid, objid, objsubid) = (%b, 2) AND granted AND pg_database.datname = current_database()
"""
    % _LOCK
)
_LOOK = b"SELECT version, name, checksum, applied_at FROM msp_migrations ORDER BY version"
_TABLE = b"""
CREATE TABLE IF NOT EXISTS msp_migrations (version bigint PRIMARY KEY, name text NOT NULL,
    checksum text NOT NULL, applied_at timestamptz, seconds double precision)
"""
_BEGUN = "INSERT INTO msp_migrations (version, name, checksum) VALUES (%s, %s, %s)"
_DONE = "UPDATE msp_migrations SET applied_at = clock_timestamp(), seconds = %s WHERE version = %s"
# What one file sets must reach neither the next file nor our own table. And the server is to
# notice within a second that we were killed, within a minute that we vanished; else it would
# finish the statement first, and keep the lock until then. (Joined with the settings there are:
# a server before version 14 does not know the last one.)
_SESSION = b"""
RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;
SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES ('tcp_keepalives_idle', '30'),
    ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
    ('client_connection_check_interval', '1s')) AS ours (name, value) USING (name);
"""
# SQLSTATE classes whose texts name things of the schema or the file, never what a row holds.
_HARMLESS = frozenset({"0A", "25", "28", "2B", "3D", "3F", "40", "42", "53", "54", "55", "57"})


@attrs.define
class Migrator:
    """Migrates over one connection.

    Attributes:
        connection: in autocommit mode. It holds the lock, and never waits for it inside of a
            statement: `CREATE INDEX CONCURRENTLY` would wait for that statement, so for ever.
        migrations: of the folder, in order.
        statement_timeout: seconds for each statement; None for the server's own limit.
    """

    connection: AsyncConnection[TupleRow]
    migrations: tuple[Migration, ...]
    statement_timeout: float | None
    _statement: Statement | None = None

    async def look(self) -> Standing:
        """Return how far the database is: one query, which locks nothing.

        Raises:
            MigrationChangedError, MigrationAheadError: as `Standing.of` says.
        """
        try:
            # No span: on the first start there is no table, which is no error to look into.
            with without_trace():
                rows = await (await self.connection.execute(_LOOK)).fetchall()
        except psycopg.errors.UndefinedTable:
            rows = []
        return Standing.of(self.migrations, rows)

    async def acquire(self, deadline: Deadline) -> Standing:
        """Return what is left to do, with the lock held when that is anything.

        The server takes the lock back when the connection ends, however it does.

        Raises:
            MigrationLockError: somebody else migrates until the deadline; who, is logged once.
        """
        holder = None
        while (standing := await self.look()).pending:
            if await self._fetch(_TRY_LOCK):
                return await self.look()  # whoever held it may just have finished
            if holder is None:
                holder = await self._fetch(_HOLDER)
                if holder and deadline.remaining():
                    logger.warning("%s migrates the database: waiting for it", holder)
            if not deadline.remaining():
                raise MigrationLockError(
                    f"{holder or 'somebody else'} still migrates the database: wait for it, allow "
                    "a longer lock timeout, or end it with pg_terminate_backend"
                )
            await asyncio.sleep(min(_PAUSE, deadline.remaining()))
        return standing

    async def apply(self, standing: Standing) -> None:
        """Apply what is left to do; the lock must be held.

        Raises:
            MigrationInterruptedError: one began, and nobody is at it any more.
            MigrationFailedError: the server refused a statement.
        """
        if standing.begun is not None:
            raise MigrationInterruptedError(
                f"{standing.begun.name} began and did not come to its end: undo what it did, such "
                "as an invalid index, then remove the row of version "
                f"{standing.begun.version} from msp_migrations, and it runs again"
            )
        await self.connection.execute(_TABLE)
        for migration in standing.pending:
            self._warn(migration)
            began = time.monotonic()
            try:
                if migration.transaction:
                    async with self.connection.transaction():
                        await self._run(migration, began)
                else:
                    await self._run(migration, began)
            except psycopg.Error as error:
                raise _failure(migration, self._statement, error) from None  # it may quote a row
            logger.info("applied %s in %.2f s", migration.name, time.monotonic() - began)

    def _warn(self, migration: Migration) -> None:
        """Warn of what this server takes and the platform's, which is older, would refuse."""
        if self.connection.info.server_version >= 10_000 * (PLATFORM_VERSION + 1):
            for sentence in newer_sql(migration):
                logger.warning("%s", sentence)

    async def _run(self, migration: Migration, began: float) -> None:
        await self.connection.execute(_SESSION)
        row = (migration.version, migration.name, migration.checksum)
        await self.connection.execute(_BEGUN, row)
        await self._limit_statements()
        for statement in migration.statements:
            self._statement = statement
            await self.connection.execute(statement.text.encode())
        self._statement = None
        await self.connection.execute(_SESSION)
        await self.connection.execute(_DONE, (time.monotonic() - began, migration.version))

    async def _limit_statements(self) -> None:
        """Limit what the file does; our own rows, which may wait for a busy server, are not it."""
        if self.statement_timeout is not None:
            milliseconds = round(self.statement_timeout * 1000)
            await self.connection.execute(b"SET statement_timeout = %d" % milliseconds)

    async def _fetch(self, query: bytes) -> object:
        row = await (await self.connection.execute(query)).fetchone()
        return row and row[0]


async def migrate(
    connect: Callable[[], Awaitable[AsyncConnection[TupleRow]]],
    directory: Path,
    *,
    check: bool,
    lock_timeout: float,
    statement_timeout: float | None,
) -> MigrationReport:
    """Carry out `CloudSQL.migrate`; `connect` gives a connection in autocommit mode."""
    began, deadline = time.monotonic(), Deadline.after(lock_timeout)
    migrations = await asyncio.to_thread(read_migrations, directory)
    async with await connect() as connection:
        migrator = Migrator(connection, migrations, statement_timeout)
        standing = await (migrator.look() if check else migrator.acquire(deadline))
        if check and standing.pending:
            names = ", ".join(each.name for each in standing.pending)
            raise MigrationBehindError(f"the database lacks {names}: run `msp migrate`")
        if standing.pending:
            await migrator.apply(standing)
    if standing.ahead:
        names = ", ".join(standing.ahead)
        logger.warning("the database is ahead of this program, which does not know %s", names)
    return MigrationReport(
        applied=standing.pending,
        skipped=tuple(each for each in migrations if each not in standing.pending),
        ahead=standing.ahead,
        head=max(standing.head, len(migrations)),
        seconds=time.monotonic() - began,
    )


def _failure(
    migration: Migration, statement: Statement | None, error: psycopg.Error
) -> MigrationFailedError:
    """Say where and what, with no word of the server's that could quote data."""
    line, where = None, "at its end"
    if statement is not None:
        before = int(error.diag.statement_position or 1) - 1
        line = statement.line + statement.text.count("\n", 0, before)
        where = f"line {line}"
    state, what = error.sqlstate, type(error).__name__
    if state is not None and state[:2] in _HARMLESS:
        what += f": {error.diag.message_primary}"
    elif error.diag.constraint_name:
        what += f" of {error.diag.constraint_name}"
    if migration.transaction:
        what += "; nothing of the file was applied"
    return MigrationFailedError(
        f"{migration.name}, {where}: {what}", file=migration.name, line=line, sqlstate=state
    )
