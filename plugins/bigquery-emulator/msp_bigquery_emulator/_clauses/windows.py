"""Window functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule
from msp_bigquery_emulator._rules.casts import without_errors


def _window(node: exp.Expr) -> exp.Expr:
    for part in (node.args.get("order"), *(node.args.get("partition_by") or ())):
        if part is not None:
            without_errors(part)  # DuckDB orders and parts by nothing that may raise an error
    function = node.this
    if isinstance(function, exp.Func | exp.IgnoreNulls | exp.RespectNulls) and not isinstance(
        function, exp.Cast | exp.Case | exp.Anonymous
    ):
        return node
    return _push(node, function)


def _push(window: exp.Expr, composed: exp.Expr) -> exp.Expr:
    """Give each aggregate of an expression that stands for one the window of that one."""
    for inner in list(composed.find_all(exp.AggFunc)):
        filtered = inner.parent if isinstance(inner.parent, exp.Filter) else inner
        over = window.copy()
        over.set("this", filtered.copy())
        filtered.replace(over)
    return exp.Paren(this=composed)


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.Window: _window}
