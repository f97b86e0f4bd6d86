"""Statements that change rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule


def _insert_row(node: exp.Expr) -> exp.Expr:
    """Write MERGE's INSERT ROW as DuckDB does: INSERT *."""
    if isinstance(node.this, exp.Var) and node.this.name.upper() == "ROW":
        node.set("this", exp.Star())
    return node


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.Insert: _insert_row}
