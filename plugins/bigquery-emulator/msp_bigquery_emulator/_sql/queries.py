"""Queries: one statement of GoogleSQL, run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import duckdb
from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._functions.families import Families
from msp_bigquery_emulator._sql.definitions import Definitions
from msp_bigquery_emulator._sql.parameters import Parameter, parameter_sql
from msp_bigquery_emulator._sql.rewriting import rewrite
from msp_bigquery_emulator._sql.sql import duckdb_sql, parse
from msp_bigquery_emulator._sql.tables import TableNames
from msp_bigquery_emulator._store.catalog import Catalog
from msp_bigquery_emulator._store.database import Cursor, Database
from msp_bigquery_emulator._store.destination import Destination
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.storage import result_field

_CHANGES: Final[Mapping[type[exp.Expr], tuple[str, str]]] = {
    exp.Insert: ("INSERT", "insertedRowCount"),
    exp.Update: ("UPDATE", "updatedRowCount"),
    exp.Delete: ("DELETE", "deletedRowCount"),
    exp.TruncateTable: ("TRUNCATE_TABLE", "deletedRowCount"),
    exp.Merge: ("MERGE", ""),
}
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
        fields: of the rows; empty unless it selected.
        rows: as DuckDB gave them.
        changed: rows by Google's names such as `insertedRowCount`; None unless it changed rows.
    """

    kind: str
    fields: tuple[Field, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    changed: Mapping[str, int] | None = None


@attrs.frozen
class Queries:
    """Runs statements.

    Attributes:
        database: to run them in.
        catalog: of tables.
        functions: that DuckDB lacks.
    """

    database: Database
    catalog: Catalog
    functions: Families = attrs.field(factory=Families, init=False)

    def run(self, request: Mapping[str, Any], *, dry: bool = False) -> Result:
        """Run the statement of a request, as REST's `configuration.query`.

        Args:
            request: query, parameters, default dataset, destination.
            dry: check it and give the fields, no rows.

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
            running = _Statement(cursor, names, parameters, self.functions, dry)
            try:
                return running.run(statement, destination)
            except duckdb.Error as error:
                raise invalid_query(_first_line(error)) from None


@attrs.frozen
class _Statement:
    """One statement being run."""

    cursor: Cursor
    names: TableNames
    parameters: Mapping[str, Parameter]
    functions: Families
    dry: bool

    def run(self, statement: exp.Expr, destination: Destination | None) -> Result:
        if isinstance(statement, exp.Query):
            return self._select(statement, destination)
        if type(statement) in _CHANGES:
            return self._change(statement)
        definitions = Definitions(self.cursor, self.names, self._sql)
        return Result(definitions.kind(statement) if self.dry else definitions.run(statement))

    def _sql(self, statement: exp.Expr) -> str:
        rewritten = rewrite(statement, table=self.names, parameters=self.parameters)
        sql = duckdb_sql(rewritten)
        self.functions.make_for(sql, self.cursor)
        return sql

    def _select(self, statement: exp.Expr, destination: Destination | None) -> Result:
        sql = self._sql(statement)
        if self.dry:
            sql = f"SELECT * FROM ({sql}) LIMIT 0"
        self.cursor.execute(sql)
        result = Result("SELECT", describe(self.cursor), self.cursor.fetchall())
        if destination is not None and not self.dry:
            destination.write_query(self.cursor, self.names.catalog, result.fields, sql)
        return result

    def _change(self, statement: exp.Expr) -> Result:
        kind, changed = _CHANGES[type(statement)]
        sql = self._sql(statement)
        if self.dry:
            self.cursor.execute(f"EXPLAIN {sql}")
            return Result(kind)
        if isinstance(statement, exp.Merge):
            return Result(kind, changed=self._merge(sql))
        row = self.cursor.execute(sql).fetchone()
        return Result(kind, changed={changed: 0 if row is None else int(row[0])})

    def _merge(self, sql: str) -> Mapping[str, int]:
        counts = dict.fromkeys(_MERGED.values(), 0)
        for (action,) in self.cursor.execute(f"{sql} RETURNING merge_action").fetchall():
            counts[_MERGED[action]] += 1
        return counts


def describe(cursor: Cursor) -> tuple[Field, ...]:
    """Return the fields of what a cursor will give.

    Raises:
        BigQueryError: two have one name, or a type is not supported.
    """
    fields = tuple(result_field(name, kind) for name, kind, *_ in cursor.description or ())
    names = [field.name.lower() for field in fields]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise invalid_query(f"Duplicate column names in the result are not supported: {min(twice)}")
    return fields


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().partition("\n")[0]
