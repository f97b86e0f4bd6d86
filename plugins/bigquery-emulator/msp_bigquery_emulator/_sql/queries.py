"""Queries: one statement of GoogleSQL, run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, TypeAlias

import attrs
import duckdb
from sqlglot import exp

from msp_bigquery_emulator._errors import BigQueryError, invalid_query, make_unsupported
from msp_bigquery_emulator._functions.families import Families
from msp_bigquery_emulator._sql.bounds import limit
from msp_bigquery_emulator._sql.definitions import Definitions
from msp_bigquery_emulator._sql.parameters import Parameter, parameter_sql
from msp_bigquery_emulator._sql.rewriting import rewrite
from msp_bigquery_emulator._sql.sql import duckdb_sql, parse
from msp_bigquery_emulator._sql.tables import TableNames
from msp_bigquery_emulator._store import rows as _rows
from msp_bigquery_emulator._store.catalog import LOCATION, Catalog, Table, sql_name
from msp_bigquery_emulator._store.database import ANONYMOUS, Cursor, Database
from msp_bigquery_emulator._store.destination import Destination
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.results import Results
from msp_bigquery_emulator._store.storage import result_field

_CHANGES: Final[Mapping[type[exp.Expr], tuple[str, str]]] = {
    exp.Insert: ("INSERT", "insertedRowCount"),
    exp.Update: ("UPDATE", "updatedRowCount"),
    exp.Delete: ("DELETE", "deletedRowCount"),
    exp.TruncateTable: ("TRUNCATE_TABLE", "deletedRowCount"),
    exp.Merge: ("MERGE", ""),
}
_RENAMED: Final = re.compile(r"_\d+$")  # as DuckDB may call the second of two equal names
_EXCEEDED: Final = "Resources exceeded during query execution: out of memory"
Watch: TypeAlias = Callable[[Cursor], AbstractContextManager[object]]
_NO_FUNCTION: Final = re.compile(r'Catalog Error: .* Function with name "?(\w+)')
_MERGED: Final = {
    "INSERT": "insertedRowCount",
    "UPDATE": "updatedRowCount",
    "DELETE": "deletedRowCount",
}


@attrs.frozen
class Result:
    """What a statement gave.

    Attributes:
        kind: `SELECT`, `INSERT`, `CREATE_TABLE` …, as job statistics name it.
        fields: of the rows, or of the table that was made.
        table: that has the rows, or was written; None for none.
        total: rows that a query gave.
        changed: rows by Google's names such as `insertedRowCount`; None unless it changed rows.
    """

    kind: str
    fields: tuple[Field, ...] = ()
    table: Table | None = None
    total: int = 0
    changed: Mapping[str, int] | None = None


@attrs.frozen
class Queries:
    """Runs statements.

    Attributes:
        database: to run them in.
        catalog: of tables.
        results: keeps what queries give that name no destination.
        functions: that DuckDB lacks.
    """

    database: Database
    catalog: Catalog
    results: Results
    functions: Families = attrs.field(factory=Families, init=False)

    def run(
        self, request: Mapping[str, Any], *, dry: bool = False, watch: Watch = nullcontext
    ) -> Result:
        """Run the statement of a request, as REST's `configuration.query`.

        Args:
            request: query, parameters, default dataset, destination.
            dry: check it and give the fields, no rows.
            watch: gives the block in which a cursor's statements can be interrupted.

        Raises:
            BigQueryError: the request or the statement cannot be right.
        """
        if request.get("useLegacySql"):
            raise make_unsupported("legacy SQL")
        positional = request.get("parameterMode") == "POSITIONAL"
        statement = parse(str(request.get("query") or ""), positional=positional)
        parameters = parameter_sql(request.get("queryParameters") or ())
        destination = Destination.of(request)
        reads = isinstance(statement, exp.Query) and destination is None
        with self.database.read() if reads or dry else self.database.write() as cursor:
            default = (request.get("defaultDataset") or {}).get("datasetId")
            names = TableNames(self.catalog, cursor, default).with_ctes(statement)
            running = _Statement(cursor, names, parameters, self.functions, dry, self.results)
            with watch(cursor):
                try:
                    return running.run(statement, destination)
                except BigQueryError as error:
                    raise _locate(error) from None
                except duckdb.InterruptException:
                    raise
                except duckdb.OutOfMemoryException:
                    raise BigQueryError(400, "resourcesExceeded", _EXCEEDED) from None
                except duckdb.Error as error:
                    raise _refuse(error) from None


@attrs.frozen
class _Statement:
    """One statement being run."""

    cursor: Cursor
    names: TableNames
    parameters: Mapping[str, Parameter]
    functions: Families
    dry: bool
    results: Results

    def run(self, statement: exp.Expr, destination: Destination | None) -> Result:
        if isinstance(statement, exp.Query):
            return self._select(statement, destination)
        if type(statement) in _CHANGES:
            return self._change(statement)
        definitions = Definitions(self.cursor, self.names, self._sql)
        if self.dry:
            return Result(definitions.kind(statement))
        kind = definitions.run(statement)
        table = self._written(statement) if kind.startswith("CREATE_TABLE") else None
        table = self._written(statement) if kind == "CREATE_VIEW" else table
        return Result(kind, () if table is None else table.fields, table)

    def _written(self, statement: exp.Expr) -> Table | None:
        """Return the table that a statement wrote to."""
        node = statement.find(exp.Table)
        return None if node is None else self.names.find(node)

    def _sql(self, statement: exp.Expr) -> str:
        rewritten = rewrite(statement, table=self.names, parameters=self.parameters)
        sql = duckdb_sql(limit(rewritten))
        self.functions.make_for(sql, self.cursor)
        return sql

    def _select(self, statement: exp.Expr, destination: Destination | None) -> Result:
        sql = self._sql(statement)
        if self.dry:
            self.cursor.execute(f"SELECT * FROM ({sql}) LIMIT 0")
            return Result("SELECT", describe(self.cursor, sql))
        if destination is not None:
            return self._write(destination, sql)
        name, total = self.results.write(self.cursor, sql)
        fields: tuple[Field, ...] = ()
        try:
            fields = self._fields(sql_name(ANONYMOUS, name), sql)
        finally:
            if not fields:
                self.results.drop(name)
        return Result("SELECT", fields, self.results.keep(name, fields), total)

    def _write(self, destination: Destination, sql: str) -> Result:
        # First aside: the query may read the table that is written anew.
        self.cursor.execute(f'CREATE TEMP TABLE "msp$result" AS {sql}')
        fields = self._fields('"msp$result"', sql)
        catalog = self.names.catalog
        table = destination.write_result(self.cursor, catalog, fields, '"msp$result"')
        self.cursor.execute('DROP TABLE "msp$result"')
        return Result("SELECT", fields, table, _rows.count(self.cursor, table))

    def _fields(self, table: str, sql: str) -> tuple[Field, ...]:
        self.cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        return describe(self.cursor, sql)

    def _change(self, statement: exp.Expr) -> Result:
        kind, changed = _CHANGES[type(statement)]
        table = None if self.dry else self._written(statement)
        sql = self._sql(statement)
        if self.dry:
            self.cursor.execute(f"EXPLAIN {sql}")
            return Result(kind)
        if isinstance(statement, exp.Merge):
            return Result(kind, table=table, changed=self._merge(sql))
        row = self.cursor.execute(sql).fetchone()
        return Result(kind, table=table, changed={changed: 0 if row is None else int(row[0])})

    def _merge(self, sql: str) -> Mapping[str, int]:
        counts = dict.fromkeys(_MERGED.values(), 0)
        for (action,) in self.cursor.execute(f"{sql} RETURNING merge_action").fetchall():
            counts[_MERGED[action]] += 1
        return counts


def describe(cursor: Cursor, sql: str) -> tuple[Field, ...]:
    """Return the fields of what a cursor will give.

    Args:
        cursor: that selects everything from what a query gave.
        sql: of the query.

    Raises:
        BigQueryError: two have one name, or a type is not supported.
    """
    fields = tuple(result_field(name, kind) for name, kind, *_ in cursor.description or ())
    names = [field.name.lower() for field in fields]
    if any(_RENAMED.search(name) for name in names):
        names = [name.lower() for name in cursor.sql(sql).columns]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise invalid_query(f"Duplicate column names in the result are not supported: {min(twice)}")
    return fields


def _locate(error: BigQueryError) -> BigQueryError:
    """Return an error of SQL, which says where it looked for what is not there."""
    if error.reason != "notFound":
        return error
    message = f"{error.message} was not found in location {LOCATION}"
    return BigQueryError(error.status, error.reason, message, error.location)


def _refuse(error: duckdb.Error) -> BigQueryError:
    """Return the error of what DuckDB refused: a function it lacks is one that BigQuery has."""
    line = str(error).strip().partition("\n")[0]
    missing = _NO_FUNCTION.match(line)
    return (
        make_unsupported(f"the function {missing[1].upper()}") if missing else invalid_query(line)
    )
