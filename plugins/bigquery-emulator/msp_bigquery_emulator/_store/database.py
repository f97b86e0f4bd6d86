"""Database: the DuckDB file, one writer at a time, any number of readers beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

Cursor: TypeAlias = duckdb.DuckDBPyConnection

NAME: Final = "bigquery"  # DuckDB names the database after its file
RESULTS: Final = "results"  # in memory, and in temporary files when that is short
CATALOG: Final = '"msp$catalog"'  # no dataset can be called so
STREAMS: Final = '"msp$streams"'
ANONYMOUS: Final = "_anonymous"  # the dataset of results; BigQuery hides those with _ too
MEMORY: Final = "1GB"
_TEMPORARY: Final = "8GB"  # of files that a query makes when memory is short

_TABLES: Final = f"""
CREATE SCHEMA IF NOT EXISTS {CATALOG};
CREATE SCHEMA IF NOT EXISTS {STREAMS};
CREATE TABLE IF NOT EXISTS {CATALOG}.datasets (dataset VARCHAR PRIMARY KEY, resource VARCHAR);
CREATE TABLE IF NOT EXISTS {CATALOG}.tables (
    dataset VARCHAR, name VARCHAR, resource VARCHAR, PRIMARY KEY (dataset, name));
CREATE TABLE IF NOT EXISTS {CATALOG}.insert_ids (
    destination VARCHAR, insert_id VARCHAR, came TIMESTAMP DEFAULT now()::TIMESTAMP);
CREATE TABLE IF NOT EXISTS {CATALOG}.streams (name VARCHAR PRIMARY KEY, state VARCHAR);
"""


class Database:
    """One DuckDB file; each commit is on the disk before it returns."""

    def __init__(self, folder: Path, memory: str = MEMORY) -> None:
        """Open the database of a folder, which is made when missing.

        Args:
            folder: of the file, and of what does not fit into memory meanwhile.
            memory: that DuckDB may use, such as `1GB`.

        Raises:
            duckdb.IOException: another process has it open.
        """
        folder.mkdir(parents=True, exist_ok=True)
        # Queries come from others: they reach this file and nothing else of the machine.
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
            "memory_limit": memory,
            "max_temp_directory_size": _TEMPORARY,
        }
        self._connection = duckdb.connect(folder / f"{NAME}.duckdb", config=config)
        # Not part of `config`: DuckDB refuses it there.
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute(_TABLES)
        self._connection.execute(f"ATTACH ':memory:' AS {RESULTS}")
        self._connection.execute(f"CREATE SCHEMA {RESULTS}.{ANONYMOUS}")
        self._connection.execute("SET lock_configuration = true")
        self._writing = threading.Lock()
        self._closed = False
        self._idle = threading.Condition()
        self._cursors = 0

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Give a cursor that sees what was committed; it does not wait for the writer.

        Raises:
            ConnectionAbortedError: the database is closed, or about to be.
        """
        with self._idle:
            if self._closed:
                raise ConnectionAbortedError
            self._cursors += 1
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        finally:
            with self._idle:
                self._cursors -= 1
                self._idle.notify_all()

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Give a cursor in a transaction: all of it is durable afterwards, or nothing happened.

        Raises:
            ConnectionAbortedError: the database is closed, or about to be.
        """
        with self._writing, self.read() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def close(self) -> None:
        """Let those who use it finish, fold the log into the file and close it."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._cursors == 0)
        self._connection.close()
