"""Defaults: the expression of a column's default value, as DuckDB has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from msp_bigquery_emulator._errors import invalid

# https://cloud.google.com/bigquery/docs/default-values: literals, and these functions.
_FUNCTIONS: Final[Mapping[type[exp.Expr], str]] = {
    exp.CurrentDate: "CAST(now() AS DATE)",
    exp.CurrentDatetime: "CAST(now() AS TIMESTAMP)",
    exp.CurrentTime: "CAST(CAST(now() AS TIMESTAMP) AS TIME)",
    exp.CurrentTimestamp: "now()",
    exp.Uuid: "CAST(uuid() AS VARCHAR)",
    exp.Rand: "random()",
    exp.SessionUser: "'nobody@localhost'",
}
_PARTS: Final = (
    *(exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Paren, exp.Cast, exp.DataType),
    *(exp.Array, exp.Struct, exp.Tuple, exp.PropertyEQ, exp.Identifier, exp.ParseJSON),
    exp.ByteString,
)


@lru_cache(maxsize=256)
def default_sql(expression: str) -> str:
    """Return DuckDB's SQL of a default value.

    Args:
        expression: GoogleSQL.

    Raises:
        BigQueryError: it is no literal and none of the functions that BigQuery allows.
    """
    try:
        parsed = sqlglot.parse_one(expression, read="bigquery")
    except SqlglotError:
        raise invalid(f"Invalid default value expression: {expression[:100]}") from None
    root = exp.Paren(this=parsed)
    for node in list(parsed.walk()):
        function = _FUNCTIONS.get(type(node))
        if function is not None:
            node.replace(sqlglot.parse_one(function, read="duckdb"))
        elif not isinstance(node, _PARTS):
            raise invalid(
                f"Invalid default value expression: {expression[:100]}: expected a literal, or a "
                "function such as CURRENT_TIMESTAMP and GENERATE_UUID"
            )
    sql: str = root.this.sql("duckdb")
    return sql
