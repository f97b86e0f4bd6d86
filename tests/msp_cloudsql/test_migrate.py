"""Migrating real databases: alone, in a crowd, after changes, failures and kills."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import attrs
import psycopg
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from msp_cloudsql import (
    MigrationAheadError,
    MigrationBehindError,
    MigrationChangedError,
    MigrationFailedError,
    MigrationInterruptedError,
    MigrationLockError,
    MigrationReport,
)
from msp_cloudsql._migrations import migrator as _migrator
from msp_cloudsql._migrations.migration import read_migrations
from tests.msp_cloudsql.database import Database
from tests.msp_cloudsql.patience import until

LOCK = f"pg_advisory_lock({_migrator._LOCK.decode()})"
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
VISITS = "CREATE TABLE visits (page text PRIMARY KEY);\nINSERT INTO visits VALUES ('/');"
INDEX = "-- msp: no transaction\nCREATE INDEX CONCURRENTLY by_page ON visits (page);"


def names(report: MigrationReport) -> tuple[list[str], list[str]]:
    """Return the files that were applied, and those that were skipped."""
    return [each.name for each in report.applied], [each.name for each in report.skipped]


async def test_applies_what_is_missing_in_order(database: Database) -> None:
    """Each file is applied once, and the table says so."""
    database.write(_1_visits=VISITS)
    first = await database.migrate()
    database.write(_2_index=INDEX, _10_later="SELECT 1", **{f"_{n}_x": "" for n in range(3, 10)})
    second = await database.migrate()

    assert names(first) == (["1_visits.sql"], [])
    assert (first.head, second.head) == (1, 10)
    assert [each.version for each in second.applied] == list(range(2, 11))
    assert names(second)[1] == ["1_visits.sql"]
    assert second.seconds > 0
    assert [row[0] for row in database.recorded] == list(range(1, 11))
    assert all(row[2] for row in database.recorded)
    assert database.query("SELECT checksum FROM msp_migrations WHERE version = 1") == [
        (first.applied[0].checksum,)
    ]


async def test_a_first_start_has_no_error_in_its_trace(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that was never migrated is no failure, of no span."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    database.write(_1_visits=VISITS)
    await database.migrate()

    found = exporter.get_finished_spans()
    assert found
    assert [span.name for span in found if span.status.status_code is StatusCode.ERROR] == []


async def test_nothing_to_do_is_one_query(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The usual start of a process costs one look, and takes no lock."""
    database.write(_1_visits=VISITS, _2_index=INDEX)
    await database.migrate()
    caplog.set_level(logging.DEBUG, "msp.cloudsql.query")
    logged = attrs.evolve(database, environ={**database.environ, "PG_QUERY_LOGGING": "true"})
    report = await logged.migrate()

    queries = [record for record in caplog.records if record.message == "query start"]
    assert len(queries) == 1
    assert "SELECT version" in str(vars(queries[0])["sql"])
    assert names(report) == ([], ["1_visits.sql", "2_index.sql"])
    assert (report.head, report.ahead) == (2, ())


async def test_two_hundred_at_once_apply_each_file_once(database: Database) -> None:
    """A crowd that starts on an empty database all succeeds, without a deadlock over an index."""
    crowd = 200
    database.write(_1_visits=VISITS, _2_index=INDEX, _3_more="INSERT INTO visits VALUES ('/a')")
    start = threading.Barrier(crowd)

    def replica(_: int) -> MigrationReport:
        start.wait()
        return asyncio.run(database.migrate())

    def replicas() -> list[MigrationReport]:
        with ThreadPoolExecutor(crowd) as threads:
            return list(threads.map(replica, range(crowd)))

    reports = await asyncio.to_thread(replicas)

    applied = Counter(name for report in reports for name in names(report)[0])
    assert applied == {"1_visits.sql": 1, "2_index.sql": 1, "3_more.sql": 1}
    assert {report.head for report in reports} == {3}
    assert database.query("SELECT count(*) FROM visits") == [(2,)]
    assert [row[0] for row in database.recorded] == [1, 2, 3]


def begin(database: Database) -> subprocess.Popen[bytes]:
    """Start a process that migrates, and wait until it sleeps in a statement."""
    home = database.folder.parent
    (home / "killed.py").write_text("class Killed:\n    name, version = 'killed', '1'\n")
    command = [sys.executable, "-m", "msp_core", "migrate", "killed:Killed"]
    environ = {**os.environ, **database.environ, "PYTHONPATH": str(home)}
    process = subprocess.Popen([*command, "--database", database.name], env=environ)  # noqa: S603 - our own command
    until(
        lambda: (
            process.poll() is not None
            or database.query(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'killed' AND wait_event = 'PgSleep'"
            )
        )
    )
    return process


@pytest.fixture
def pause(database: Database) -> None:
    """Have a file's `SELECT pg_sleep(seconds) FROM pause` sleep for ever."""
    database.execute("CREATE TABLE pause AS SELECT 3600 AS seconds")


@pytest.mark.usefixtures("pause")
async def test_a_killed_migrator_leaves_nothing(database: Database) -> None:
    """A file is applied whole or not at all, and the next process need not wait or be told."""
    database.write(_1_visits=f"{VISITS}\nSELECT pg_sleep(seconds) FROM pause;")
    process = await asyncio.to_thread(begin, database)

    assert database.query(LOCKS) == [(1,)]

    process.send_signal(signal.SIGKILL)
    process.wait()
    await asyncio.to_thread(until, lambda: database.query(LOCKS) == [(0,)])

    assert database.query("SELECT to_regclass('visits')") == [(None,)]
    assert database.recorded == []

    database.execute("DELETE FROM pause")
    assert names(await database.migrate())[0] == ["1_visits.sql"]


@pytest.mark.usefixtures("pause")
async def test_an_interrupted_file_without_transaction_is_found(database: Database) -> None:
    """What it did may be there by half: somebody must look, and is told how to go on."""
    database.write(
        _1_visits=VISITS,
        _2_slow=f"{INDEX}\nSELECT pg_sleep(seconds) FROM pause;",
    )
    process = await asyncio.to_thread(begin, database)
    with pytest.raises(MigrationLockError, match=r"^process \d+ \(killed, since 20.*still migr"):
        await database.migrate(lock_timeout=0)
    process.send_signal(signal.SIGKILL)
    process.wait()

    with pytest.raises(MigrationInterruptedError, match=r"2_slow.sql began.*row of version 2"):
        await database.migrate()
    assert database.recorded == [(1, "1_visits.sql", True), (2, "2_slow.sql", False)]
    with pytest.raises(MigrationBehindError, match=r"the database lacks 2_slow.sql"):
        await database.migrate(check=True)

    database.execute("DELETE FROM pause")
    database.execute("DROP INDEX by_page")
    database.execute("DELETE FROM msp_migrations WHERE version = 2")
    assert names(await database.migrate())[0] == ["2_slow.sql"]


async def test_waits_and_says_once_for_whom(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits says which process it waits for, and goes on when that is done."""
    caplog.set_level(logging.WARNING, "msp.cloudsql")
    database.write(_1_visits=VISITS)
    with database.connect() as holder:
        holder.execute(f"SELECT {LOCK}".encode())
        pid = holder.info.backend_pid
        with pytest.raises(MigrationLockError, match=f"^process {pid} .*wait for it, allow a lon"):
            await database.migrate(lock_timeout=0.6)

        assert [record.message.split(" (")[0] for record in caplog.records] == [f"process {pid}"]

        caplog.clear()
        waiting = asyncio.create_task(database.migrate())
        await asyncio.to_thread(until, lambda: caplog.records)
    assert names(await waiting)[0] == ["1_visits.sql"]
    assert len(caplog.records) == 1


async def test_whoever_waits_needs_no_lock_once_nothing_is_left(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A crowd does not queue up for the lock when one of it has done everything."""
    database.write(_1_visits=VISITS)
    with database.connect() as holder:
        holder.execute(f"SELECT {LOCK}".encode())
        waiting = asyncio.create_task(database.migrate())
        await asyncio.to_thread(until, lambda: caplog.records)
        await _apply_behind_the_lock(database)

        assert names(await waiting) == ([], ["1_visits.sql"])


async def _apply_behind_the_lock(database: Database) -> None:
    migrations = read_migrations(database.folder)
    dsn = database.environ["PGDSN"].replace("{{ .Database }}", database.name)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        migrator = _migrator.Migrator(connection, migrations, None)
        await migrator.apply(await migrator.look())


async def test_a_holder_that_is_gone_is_not_named(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock may be released between the try and the question who has it."""
    monkeypatch.setattr(_migrator, "_HOLDER", b"SELECT 1 WHERE false")
    database.write(_1_visits=VISITS)
    with database.connect() as holder:
        holder.execute(f"SELECT {LOCK}".encode())
        with pytest.raises(MigrationLockError, match=r"^somebody else still migrates"):
            await database.migrate(lock_timeout=0)


async def test_behind_is_told_by_check_alone(database: Database) -> None:
    """A check applies nothing, on a database without our table too."""
    database.write(_1_visits=VISITS, _2_index=INDEX)
    with pytest.raises(MigrationBehindError, match=r"lacks 1_visits.sql, 2_index.sql: run"):
        await database.migrate(check=True)

    assert database.query("SELECT to_regclass('msp_migrations')") == [(None,)]
    await database.migrate()
    assert names(await database.migrate(check=True)) == ([], ["1_visits.sql", "2_index.sql"])


async def test_ahead_is_a_warning(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """While a deployment goes on, or back, the older program starts on the newer database."""
    database.write(_1_visits=VISITS, _2_new="SELECT 1")
    await database.migrate()
    database.remove("2_new")
    caplog.clear()
    report = await database.migrate()

    assert (report.ahead, report.head) == (("2_new.sql",), 2)
    assert [record.message for record in caplog.records] == [
        "the database is ahead of this program, which does not know 2_new.sql"
    ]


async def test_ahead_and_behind_is_an_error(database: Database) -> None:
    """Two branches went different ways; whichever came second needs a new number."""
    database.write(_1_visits=VISITS, _2_a="SELECT 1", _3_a="SELECT 1")
    await database.migrate()
    database.execute("DELETE FROM msp_migrations WHERE version = 2")
    database.remove("3_a")
    with pytest.raises(MigrationAheadError, match=r"has 3_a.sql, which .* lacks 2_a.sql: give"):
        await database.migrate()


async def test_a_changed_file_is_an_error(database: Database) -> None:
    """What was applied stays as it was; a new name alone changes nothing."""
    database.write(_1_visits=VISITS)
    await database.migrate()
    database.remove("1_visits")
    database.write(_1_renamed=VISITS)
    assert names(await database.migrate()) == ([], ["1_renamed.sql"])

    database.write(_1_renamed=f"{VISITS} ")
    with pytest.raises(MigrationChangedError, match=r"^1_renamed.sql is not what .* 1_visits.sql:"):
        await database.migrate()


FAILING = [
    ("SELECT 1;\n\nSELECT\n  nope;", 4, "42703", 'UndefinedColumn: column "nope" does not exist'),
    ("SELECT 1;\nSELECT 2 +;", 2, "42601", "SyntaxError: syntax error at end of input"),
    ("\nSELECT 'hunter2'::int", 2, "22P02", "InvalidTextRepresentation"),
    ("INSERT INTO people VALUES ('hunter2')", 1, "23505", "UniqueViolation of people_pkey"),
    ("DO $$ BEGIN RAISE 'hunter2'; END $$", 1, "P0001", "RaiseException"),
    ("SELECT pg_sleep(60)", 1, "57014", "QueryCanceled: canceling statement due to statement tim"),
    ("CREATE INDEX CONCURRENTLY i ON people (name)", 1, "25001", "ActiveSqlTransaction: CREATE"),
    ("SELECT 1;\nSELECT pg_terminate_backend(pg_backend_pid())", 2, "57P01", "AdminShutdown: ter"),
]


@pytest.mark.parametrize(("text", "line", "sqlstate", "expected"), FAILING)
async def test_a_failure_names_file_and_line_and_no_data(
    database: Database, text: str, line: int, sqlstate: str, expected: str
) -> None:
    """What a row holds never gets into an error or its traceback."""
    database.execute("CREATE TABLE people (name text PRIMARY KEY)")
    database.execute("INSERT INTO people VALUES ('hunter2')")
    database.write(_1_ok="SELECT 1", _2_bad=text)
    with pytest.raises(MigrationFailedError) as caught:
        await database.migrate(statement_timeout=0.5)

    error = caught.value
    assert str(error).startswith(f"2_bad.sql, line {line}: {expected}")
    assert str(error).endswith("; nothing of the file was applied")
    assert (error.file, error.line, error.sqlstate) == ("2_bad.sql", line, sqlstate)
    assert "hunter2" not in "".join(traceback.format_exception(error))
    assert database.recorded == [(1, "1_ok.sql", True)]


async def test_a_failure_at_the_end_of_the_transaction(database: Database) -> None:
    """A deferred constraint speaks up when every line was fine."""
    database.write(
        _1_bad="CREATE TABLE a (b int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO a VALUES (1), (1);"
    )
    with pytest.raises(MigrationFailedError, match=r"^1_bad.sql, at its end: UniqueViolation of"):
        await database.migrate()


async def test_a_failure_without_transaction_stays_begun(database: Database) -> None:
    """Nobody can say what it did, so it is not tried again by itself."""
    database.write(_1_bad="-- msp: no transaction\nCREATE TABLE a ();\nSELECT nope;")
    with pytest.raises(MigrationFailedError, match=r'line 3: .*"nope" does not exist$'):
        await database.migrate()
    with pytest.raises(MigrationInterruptedError):
        await database.migrate()


async def test_limits_the_statements_of_files_only(database: Database) -> None:
    """What a busy server takes for our own rows is no fault of a file."""
    database.write(_1_visits=VISITS)
    await database.migrate()
    database.write(_2_more="SELECT 1")
    waits_longer = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
    waits_longer += "datname = current_database() AND now() - query_start > '0.2 seconds'"
    with database.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE msp_migrations IN SHARE MODE")
        migrating = asyncio.create_task(database.migrate(statement_timeout=0.05))
        await asyncio.to_thread(
            until, lambda: migrating.done() or database.query(waits_longer) == [(1,)]
        )
    assert names(await migrating)[0] == ["2_more.sql"]


async def test_settings_of_a_file_end_with_it(database: Database) -> None:
    """A dump that empties the search path disturbs neither the next file nor our own table."""
    database.write(
        _1_dump="SELECT set_config('search_path', '', false); SET statement_timeout = 500;",
        _2_role="SET ROLE pg_monitor; SET SESSION AUTHORIZATION pg_monitor;",
        _3_next="SELECT pg_sleep(0.6); CREATE TABLE visits ();",
    )
    await database.migrate()

    assert database.query("SELECT to_regclass('public.visits')::text") == [("visits",)]
