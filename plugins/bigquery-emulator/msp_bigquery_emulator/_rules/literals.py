"""Literals, types and the moment of a statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule, cast


def _literal(node: exp.Expr) -> exp.Expr:
    """Make 1.5 a double; DuckDB takes it for a decimal."""
    return node if node.is_string or node.is_int else cast(node.copy(), "DOUBLE")


def _type(node: exp.Expr) -> exp.Expr:
    """Give decimals BigQuery's digits; DuckDB's default has fewer."""
    if node.expressions:
        return node
    if node.this == exp.DataType.Type.DECIMAL:
        return exp.DataType.build("DECIMAL(38,9)", dialect="duckdb")
    if node.this in (exp.DataType.Type.BIGDECIMAL, exp.DataType.Type.BIGNUM):
        return exp.DataType.build("DECIMAL(38,18)", dialect="duckdb")
    return node


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.DataType: _type, exp.Literal: _literal}
