"""GoogleSQL read, and DuckDB's written."""

from __future__ import annotations

import re
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError

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


_WORD: Final = re.compile(r"([A-Za-z_]\w*)")
_FIRST_WORDS: Final = re.compile(
    "ALTER|ANALYZE|ASSERT|BEGIN|CALL|CASE|COMMIT|CREATE|DECLARE|DELETE|DROP|EXECUTE|EXPLAIN|EXPORT"
    "|FOR|FROM|GRANT|IF|INSERT|LOAD|LOOP|MERGE|RAISE|REPEAT|REVOKE|ROLLBACK|SELECT|SET|TRUNCATE"
    "|UNDROP|UPDATE|WHILE|WITH",
    re.IGNORECASE,
)
# Comments, and literals that end.
_CLOSED: Final = re.compile(
    r"""(--|\#)[^\n]*|/\*.*?\*/|(\"{3}|'{3}|"|'|`)(?:\\.|(?!\2).)*?\2""", re.DOTALL
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
        word = _WORD.match(query)
        if word is not None and not _FIRST_WORDS.fullmatch(word[1]):
            raise invalid_query(
                f'Syntax error: Unexpected identifier "{word[1]}" at [1:1]'
            ) from None
        first = error.errors[0]
        where = f"at [{first.get('line')}:{first.get('col')}]"
        raise invalid_query(f"Syntax error: {first.get('description')} {where}") from None
    except TokenError as error:
        raise invalid_query(f"Syntax error: {_find_unclosed(query) or error}") from None
    statements = [statement for statement in parsed if statement is not None]
    if not statements:
        raise invalid_query("Syntax error: Unexpected end of statement")
    if len(statements) > 1:
        raise make_unsupported("a script of several statements")
    if not isinstance(statements[0], _STATEMENTS):
        raise invalid_query(f"Syntax error: not a statement: {query.split(maxsplit=1)[0][:50]}")
    return statements[0]


def _find_unclosed(query: str) -> str:
    """Return what is wrong when a literal has no end."""
    rest = _CLOSED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), query)
    quote = re.search(r"[\"']", rest)
    if quote is None:
        return ""
    before = rest[: quote.start()]
    column = quote.start() - before.rfind("\n")
    return f"Unclosed string literal at [{before.count(chr(10)) + 1}:{column}]"


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
