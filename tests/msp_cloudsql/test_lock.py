"""The lock of a job, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from msp_cloudsql import CloudSQL, msp_job_lock
from msp_cloudsql._lock import _key, advisory_lock
from msp_core import JobContract, LockHeldError


async def backend_of(cloudsql: CloudSQL, name: str) -> int | None:
    """Return the process of the server that holds a lock; None when nobody does."""
    query = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND (classid::bigint << 32 | objid::bigint) = %s"
    )
    async with await cloudsql.connect("primary", autocommit=True) as connection:
        row = await (await connection.execute(query, (_key(name),))).fetchone()
    return None if row is None else int(row[0])


async def terminate(cloudsql: CloudSQL, backend: int | None) -> None:
    """End one session of the server."""
    async with await cloudsql.connect("primary", autocommit=True) as connection:
        await connection.execute("SELECT pg_terminate_backend(%s)", (backend,))


async def test_a_second_execution_is_refused(cloudsql: CloudSQL) -> None:
    """While one execution holds the lock another gets an error that names it, at once."""
    async with advisory_lock(cloudsql, "nightly"):
        with pytest.raises(LockHeldError, match="lock 'nightly' is held by another") as caught:
            async with advisory_lock(cloudsql, "nightly"):
                raise AssertionError

    assert caught.value.lock == "nightly"
    assert caught.value.exit_code == 0


async def test_the_lock_is_free_again(cloudsql: CloudSQL) -> None:
    """Whoever comes afterwards gets the lock, also after an execution that failed."""
    with pytest.raises(LookupError):
        async with advisory_lock(cloudsql, "again"):
            raise LookupError
    async with advisory_lock(cloudsql, "again") as lost:
        held = await backend_of(cloudsql, "again")

    assert held is not None
    assert not lost.is_set()
    assert await backend_of(cloudsql, "again") is None


async def test_the_lock_keeps_no_transaction_open(cloudsql: CloudSQL) -> None:
    """For the hours of a job one would hold back the server's vacuum, or be ended by a time-out."""
    query = "SELECT state FROM pg_stat_activity WHERE pid = %s"
    async with (
        advisory_lock(cloudsql, "long"),
        await cloudsql.connect("primary") as connection,
    ):
        cursor = await connection.execute(query, (await backend_of(cloudsql, "long"),))
        row = await cursor.fetchone()

    assert row == ("idle",)


async def test_other_names_are_other_locks(cloudsql: CloudSQL) -> None:
    """Jobs that ask for different locks do not keep each other from running."""
    async with advisory_lock(cloudsql, "one"), advisory_lock(cloudsql, "two"):
        assert await backend_of(cloudsql, "one") != await backend_of(cloudsql, "two")


def test_the_key_never_changes() -> None:
    """Two versions of a service agree on the lock: its number on the server is fixed."""
    assert _key("nightly") == KEY_OF_NIGHTLY
    assert -(2**63) <= _key("x") < 2**63


KEY_OF_NIGHTLY = -5193580494371529495


async def test_a_lost_connection_is_noticed(cloudsql: CloudSQL) -> None:
    """When the server ends the session, and with it the lock, its holder is told at once."""
    async with advisory_lock(cloudsql, "lost") as lost:
        await terminate(cloudsql, await backend_of(cloudsql, "lost"))
        async with asyncio.timeout(30):
            await lost.wait()

    async with advisory_lock(cloudsql, "lost") as anew:
        assert not anew.is_set()


async def test_notifications_do_not_end_the_watch(cloudsql: CloudSQL) -> None:
    """What somebody sends to the session by mistake is no loss of the lock."""
    connect = cloudsql.connect

    async def listening(
        database: str, **options: object
    ) -> psycopg.AsyncConnection[psycopg.rows.TupleRow]:
        connection = await connect(database, **options)
        await connection.execute("LISTEN mistakes")
        return connection

    cloudsql.connect = listening  # type: ignore[method-assign]
    async with advisory_lock(cloudsql, "listening") as lost:
        async with await connect("primary", autocommit=True) as other:
            await other.execute("NOTIFY mistakes")
        backend = await backend_of(cloudsql, "listening")

        assert backend is not None
        assert not lost.is_set()
        await terminate(cloudsql, backend)
        async with asyncio.timeout(30):
            await lost.wait()


async def test_gives_no_lock_without_a_server() -> None:
    """A job whose environment has no PostgreSQL hears from the runtime what to configure."""
    unconfigured = SimpleNamespace(configured=lambda client: False)

    assert msp_job_lock(cast("JobContract", unconfigured), "nightly") is None


async def test_gives_the_lock_of_the_contracts_server(cloudsql: CloudSQL) -> None:
    """The lock is taken on the server the contract has."""
    given: dict[type, CloudSQL] = {CloudSQL: cloudsql}

    class Given:
        def configured(self, client: type) -> bool:
            return client in given

        def __getitem__(self, client: type) -> CloudSQL:
            return given[client]

    lock = msp_job_lock(cast("JobContract", Given()), "given")

    assert lock is not None
    async with lock:
        assert await backend_of(cloudsql, "given") is not None
