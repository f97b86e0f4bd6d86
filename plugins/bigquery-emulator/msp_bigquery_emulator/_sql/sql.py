"""GoogleSQL read, and DuckDB's written."""

from __future__ import annotations

from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._sql.dialect import GoogleSQL
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
        parsed = sqlglot.parse(text, read=GoogleSQL)
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


def duckdb_sql(statement: exp.Expr) -> str:
    """Return a rewritten statement as DuckDB's SQL."""
    # Every name is quoted: DuckDB reserves others than BigQuery, and ignores case all the same.
    return statement.sql("duckdb", identify=True, unsupported_level=ErrorLevel.IGNORE)
