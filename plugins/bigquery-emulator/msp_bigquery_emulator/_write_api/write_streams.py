"""WriteStreams: the Storage Write API's streams, kept in the database with their rows."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import Catalog, Table, now
from msp_bigquery_emulator._store.database import CATALOG, STREAMS, Cursor, Database
from msp_bigquery_emulator._store.storage import quote, rows_sql

DEFAULT: Final = "_default"
_PARENT: Final = re.compile(r"projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)")
_NAME: Final = re.compile(_PARENT.pattern + r"(?:/streams)?/([^/]+)")
_OFFSET: Final = '"msp$offset"'


class StreamError(Exception):
    """A call that is refused.

    Attributes:
        code: of gRPC, such as `OUT_OF_RANGE`.
        message: one sentence for people.
        storage_code: of Google's StorageError, such as `OFFSET_OUT_OF_RANGE`; empty for none.
    """

    def __init__(self, code: str, message: str, storage_code: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.storage_code = storage_code


@attrs.frozen
class Stream:
    """One write stream.

    Attributes:
        name: its whole path.
        dataset: of its table.
        table: of the rows.
        kind: `COMMITTED`, `PENDING`, `BUFFERED`, or `DEFAULT`.
        created: milliseconds since 1970.
        rows: that came in, and so the next offset.
        flushed: rows that can be seen, of a buffered stream.
        finalized: it takes no more rows.
        committed: milliseconds since 1970; None unless a pending stream was committed.
    """

    name: str
    dataset: str
    table: str
    kind: str
    created: int
    rows: int = 0
    flushed: int = 0
    finalized: bool = False
    committed: int | None = None

    @property
    def staging(self) -> str:
        """The DuckDB table of rows that cannot be seen yet."""
        return f"{STREAMS}.{quote(self.name.rpartition('/')[2])}"


@attrs.frozen
class WriteStreams:
    """Makes streams and takes their rows. What returned is on the disk.

    All methods raise `StreamError`, or `BigQueryError` when there is no such table.

    Attributes:
        database: they are in.
        catalog: of their tables.
    """

    database: Database
    catalog: Catalog

    def create(self, parent: str, kind: str) -> tuple[Stream, Table]:
        """Make a stream of a table."""
        match = _PARENT.fullmatch(parent)
        if match is None:
            raise StreamError("INVALID_ARGUMENT", f"Invalid table name: {parent}")
        if kind not in ("COMMITTED", "PENDING", "BUFFERED"):
            raise StreamError("INVALID_ARGUMENT", f"Invalid stream type: {kind}")
        dataset, name = self._place(match)
        stream = Stream(
            f"{parent}/streams/{uuid.uuid4().hex}", dataset, name, kind, created=int(now())
        )
        with self.database.write() as cursor:
            table = self.catalog.table(cursor, dataset, name)
            state = json.dumps(attrs.asdict(stream))
            cursor.execute(f"INSERT INTO {CATALOG}.streams VALUES (?, ?)", [stream.name, state])
            if kind != "COMMITTED":
                empty = f"SELECT *, 0::BIGINT AS {_OFFSET} FROM {table.sql_name} LIMIT 0"
                cursor.execute(f"CREATE TABLE {stream.staging} AS {empty}")
        return stream, table

    def get(self, name: str) -> tuple[Stream, Table]:
        """Return a stream and its table."""
        with self.database.read() as cursor:
            stream = self._stream(cursor, name)
            return stream, self.catalog.table(cursor, stream.dataset, stream.table)

    def append(
        self, name: str, offset: int | None, rows: Sequence[Mapping[str, Any]]
    ) -> int | None:
        """Take rows and return the offset of the first; None for the default stream.

        Args:
            name: of the stream.
            offset: that the first row shall have; None for the next.
            rows: checked, in the form that `storage` reads.
        """
        with self.database.write() as cursor:
            stream = self._stream(cursor, name)
            table = self.catalog.table(cursor, stream.dataset, stream.table)
            if stream.kind == "DEFAULT":
                if offset is not None:
                    raise StreamError("INVALID_ARGUMENT", "The default stream takes no offset")
                _rows.insert(cursor, table, rows)
                return None
            _require_next(stream, offset)
            if stream.kind == "COMMITTED":
                _rows.insert(cursor, table, rows)
            else:
                _stage(cursor, stream, table, rows)
            _save(cursor, attrs.evolve(stream, rows=stream.rows + len(rows)))
            return stream.rows

    def finalize(self, name: str) -> int:
        """Take no more rows, and return how many there are."""
        with self.database.write() as cursor:
            stream = self._stream(cursor, name)
            if stream.kind == "DEFAULT":
                raise StreamError("INVALID_ARGUMENT", "The default stream cannot be finalized")
            _save(cursor, attrs.evolve(stream, finalized=True))
        return stream.rows

    def commit(self, names: Sequence[str]) -> int | Mapping[str, StreamError]:
        """Make the rows of pending streams seen, of all or of none.

        Returns:
            The time, milliseconds since 1970; or why which streams cannot be committed.
        """
        at = int(now())
        with self.database.write() as cursor:
            streams, errors = [], {}
            for name in names:
                try:
                    streams.append(_check_committable(self._stream(cursor, name)))
                except StreamError as error:
                    errors[name] = error
            if errors:
                return errors
            for stream in streams:
                table = self.catalog.table(cursor, stream.dataset, stream.table)
                _show(cursor, stream, table, stream.rows)
                cursor.execute(f"DROP TABLE {stream.staging}")
                _save(cursor, attrs.evolve(stream, committed=at))
        return at

    def flush(self, name: str, offset: int) -> int:
        """Make the rows of a buffered stream seen, up to and with an offset; return it."""
        with self.database.write() as cursor:
            stream = self._stream(cursor, name)
            if stream.kind != "BUFFERED":
                raise StreamError(
                    "INVALID_ARGUMENT", f"{name} is not a buffered stream", "INVALID_STREAM_TYPE"
                )
            if offset >= stream.rows:
                message = f"Offset {offset} is beyond the end of {name}, {stream.rows} rows"
                raise StreamError("OUT_OF_RANGE", message, "OFFSET_OUT_OF_RANGE")
            if offset >= stream.flushed:
                table = self.catalog.table(cursor, stream.dataset, stream.table)
                _show(cursor, stream, table, offset + 1)
                _save(cursor, attrs.evolve(stream, flushed=offset + 1))
        return offset

    def _stream(self, cursor: Cursor, name: str) -> Stream:
        match = _NAME.fullmatch(name)
        if match is None:
            raise StreamError("INVALID_ARGUMENT", f"Invalid stream name: {name}")
        if match[4] == DEFAULT:
            dataset, table = self._place(match)
            self.catalog.table(cursor, dataset, table)
            return Stream(name, dataset, table, "DEFAULT", created=0)
        cursor.execute(f"SELECT state FROM {CATALOG}.streams WHERE name = ?", [name])
        row = cursor.fetchone()
        if row is None:
            message = f"Requested entity was not found. Entity: {name}"
            raise StreamError("NOT_FOUND", message, "STREAM_NOT_FOUND")
        return Stream(**json.loads(row[0]))

    def _place(self, match: re.Match[str]) -> tuple[str, str]:
        if match[1] != self.catalog.project:
            raise StreamError("NOT_FOUND", f"Project not found: {match[1]}")
        return match[2], match[3]


def _require_next(stream: Stream, offset: int | None) -> None:
    """Refuse rows that came before, that leave a gap, or that come too late."""
    if offset is not None and offset < stream.rows:
        message = f"The offset is within stream, expected offset {stream.rows}, received {offset}"
        raise StreamError("ALREADY_EXISTS", message, "OFFSET_ALREADY_EXISTS")
    if stream.finalized:
        message = f"Stream has been finalized: {stream.name}"
        raise StreamError("INVALID_ARGUMENT", message, "STREAM_FINALIZED")
    if offset is not None and offset > stream.rows:
        message = f"The offset is beyond stream, expected offset {stream.rows}, received {offset}"
        raise StreamError("OUT_OF_RANGE", message, "OFFSET_OUT_OF_RANGE")


def _stage(cursor: Cursor, stream: Stream, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    numbered = f"SELECT *, {stream.rows} + row_number() OVER () - 1 AS {_OFFSET}"
    sql = f"INSERT INTO {stream.staging} BY NAME {numbered} FROM ({rows_sql(table.fields)})"
    cursor.execute(sql, [json.dumps(rows)])


def _show(cursor: Cursor, stream: Stream, table: Table, end: int) -> None:
    """Move the staged rows before an offset to the table."""
    cursor.execute(
        f"INSERT INTO {table.sql_name} BY NAME SELECT * EXCLUDE ({_OFFSET}) "
        f"FROM {stream.staging} WHERE {_OFFSET} < {end} ORDER BY {_OFFSET}"
    )
    cursor.execute(f"DELETE FROM {stream.staging} WHERE {_OFFSET} < {end}")


def _check_committable(stream: Stream) -> Stream:
    if stream.kind != "PENDING":
        message = f"{stream.name} is not a pending stream"
        raise StreamError("INVALID_ARGUMENT", message, "INVALID_STREAM_TYPE")
    if stream.committed is not None:
        message = f"{stream.name} is already committed"
        raise StreamError("INVALID_ARGUMENT", message, "STREAM_ALREADY_COMMITTED")
    if not stream.finalized:
        message = f"{stream.name} is not finalized"
        raise StreamError("INVALID_ARGUMENT", message, "INVALID_STREAM_STATE")
    return stream


def _save(cursor: Cursor, stream: Stream) -> None:
    state = json.dumps(attrs.asdict(stream))
    cursor.execute(f"UPDATE {CATALOG}.streams SET state = ? WHERE name = ?", [state, stream.name])
