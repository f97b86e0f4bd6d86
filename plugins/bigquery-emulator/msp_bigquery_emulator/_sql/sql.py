"""GoogleSQL read, and rewritten for DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._sql.parameters import POSITIONAL

_STATEMENTS: Final = (
    exp.Query,
    exp.DML,
    exp.DDL,
    exp.TruncateTable,
    exp.Alter,
    exp.Drop,
    # Those that are only refused with their name:
    exp.Command,
    exp.Declare,
    exp.Export,
    exp.Grant,
    exp.Set,
)


def parse(query: str, *, positional: bool = False) -> exp.Expr:
    """Return the one statement of a query.

    Args:
        query: GoogleSQL.
        positional: its parameters are question marks; they become named ones.

    Raises:
        BigQueryError: it is not one statement that sqlglot can read.
    """
    try:
        text = _name_marks(query) if positional else query
        parsed = sqlglot.parse(text, read="bigquery")
    except ParseError as error:
        first = error.errors[0]
        where = f"at [{first.get('line')}:{first.get('col')}]"
        raise invalid_query(f"Syntax error: {first.get('description')} {where}") from None
    except SqlglotError as error:
        raise invalid_query(f"Syntax error: {error}") from None
    statements = [statement for statement in parsed if statement is not None]
    if not statements:
        raise invalid_query("Syntax error: Unexpected end of statement")
    if len(statements) > 1:
        raise make_unsupported("a script of several statements")
    if not isinstance(statements[0], _STATEMENTS):
        raise invalid_query(f"Syntax error: not a statement: {query.split(maxsplit=1)[0][:50]}")
    return statements[0]


def _name_marks(query: str) -> str:
    """Return a query with its question marks replaced by names; text and comments are left."""
    marks = [
        token.start
        for token in sqlglot.tokenize(query, read="bigquery")
        if token.token_type.name == "PLACEHOLDER"
    ]
    for number, start in reversed(list(enumerate(marks))):
        query = f"{query[:start]}@{POSITIONAL}{number}{query[start + 1 :]}"
    return query


def rewrite(
    statement: exp.Expr,
    *,
    table: Callable[[exp.Table], exp.Expr],
    parameters: Mapping[str, str],
) -> exp.Expr:
    """Return a statement that means in DuckDB what it meant in BigQuery.

    Args:
        statement: as parsed; left as it is.
        table: gives what stands for a table's name.
        parameters: SQL by name, in lower case.

    Raises:
        BigQueryError: a table or parameter does not exist, or something is not supported.
    """

    def one(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table):
            return table(node)
        if isinstance(node, exp.Parameter):
            return exp.Var(this=_parameter(node, parameters))
        rule = _RULES.get(type(node))
        return node if rule is None else rule(node)

    rewritten = _name_columns(statement.copy()).transform(one)
    # The inner ones first, so that each is wrapped with what is already inside it.
    for node in reversed(list(rewritten.find_all(*_WRAPPERS))):
        node.replace(_WRAPPERS[type(node)](node))
    return rewritten


def duckdb_sql(statement: exp.Expr) -> str:
    """Return a rewritten statement as DuckDB's SQL."""
    # Every name is quoted: DuckDB reserves others than BigQuery, and ignores case all the same.
    return statement.sql("duckdb", identify=True, unsupported_level=ErrorLevel.IGNORE)


def _parameter(node: exp.Parameter, parameters: Mapping[str, str]) -> str:
    name = node.name
    if name.lower() not in parameters:
        shown = "positional parameter" if name.startswith(POSITIONAL) else f"parameter '{name}'"
        raise invalid_query(f"Query {shown} not found")
    return parameters[name.lower()]


def _name_columns(statement: exp.Expr) -> exp.Expr:
    """Give the columns that have no name those of BigQuery, such as `f0_`."""
    if not isinstance(statement, exp.Query):
        return statement
    select: exp.Expr = statement
    while isinstance(select, exp.SetOperation | exp.Subquery):
        select = select.this
    number = 0
    for column in select.args.get("expressions") or ():
        if not isinstance(column, exp.Alias | exp.Column | exp.Dot | exp.Star):
            column.replace(exp.alias_(column.copy(), f"f{number}_"))
            number += 1
    return statement


def _literal(node: exp.Expr) -> exp.Expr:
    """Make 1.5 a double; DuckDB takes it for a decimal."""
    if node.is_string or node.is_int:
        return node
    return exp.cast(node.copy(), "DOUBLE", dialect="duckdb")


def _type(node: exp.Expr) -> exp.Expr:
    """Give decimals BigQuery's digits; DuckDB's default has fewer."""
    if node.expressions:
        return node
    if node.this == exp.DataType.Type.DECIMAL:
        return exp.DataType.build("DECIMAL(38,9)", dialect="duckdb")
    if node.this in (exp.DataType.Type.BIGDECIMAL, exp.DataType.Type.BIGNUM):
        return exp.DataType.build("DECIMAL(38,18)", dialect="duckdb")
    return node


def _moment(node: exp.Expr) -> exp.Expr:
    """Give TIMESTAMP_MICROS and its like the zone that DuckDB's functions leave out."""
    return exp.cast(node.copy(), "TIMESTAMPTZ", dialect="duckdb")


def _current_datetime(node: exp.Expr) -> exp.Expr:
    """Write CURRENT_DATETIME, which DuckDB does not have."""
    if node.this:
        raise make_unsupported("CURRENT_DATETIME of a time zone")
    return exp.cast(exp.CurrentTimestamp(), "TIMESTAMP", dialect="duckdb")


def _extract(node: exp.Expr) -> exp.Expr:
    """Write EXTRACT of a whole date or time as a cast."""
    if node.name.upper() not in ("DATE", "TIME"):
        return node
    return exp.cast(node.expression.copy(), node.name, dialect="duckdb")


def _to_json(node: exp.Expr) -> exp.Expr:
    """Write TO_JSON, which sqlglot makes text of; TO_JSON_STRING is text."""
    if not node.args.get("to_json"):
        return node
    return exp.Anonymous(this="to_json", expressions=[node.this.copy()])


def _insert_row(node: exp.Expr) -> exp.Expr:
    """Write MERGE's INSERT ROW as DuckDB does: INSERT *."""
    if isinstance(node.this, exp.Var) and node.this.name.upper() == "ROW":
        node.set("this", exp.Star())
    return node


_Rule: TypeAlias = Callable[[exp.Expr], exp.Expr]
_RULES: Final[Mapping[type[exp.Expr], _Rule]] = {
    exp.CurrentDatetime: _current_datetime,
    exp.DataType: _type,
    exp.Insert: _insert_row,
    exp.Literal: _literal,
}
_WRAPPERS: Final[Mapping[type[exp.Expr], _Rule]] = {
    exp.Extract: _extract,
    exp.JSONFormat: _to_json,
    exp.StrToTime: _moment,
    exp.UnixToTime: _moment,
}
