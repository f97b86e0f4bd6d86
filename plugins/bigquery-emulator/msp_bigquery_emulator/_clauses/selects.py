"""SELECT: what it gives and how its columns are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule


def _select(node: exp.Expr) -> exp.Expr:
    """Put the columns of USING first, as `*` does in BigQuery."""
    joins = node.args.get("joins") or ()
    using = [name for join in reversed(joins) for name in join.args.get("using") or ()]
    star = next((one for one in node.expressions if isinstance(one, exp.Star)), None)
    if not using or star is None:
        return node
    kept = list(star.args.get("except_") or ())
    left_out = {name.name.lower() for name in kept}
    first = [name for name in using if name.name.lower() not in left_out]
    star.set("except_", [*kept, *(exp.column(name.copy()) for name in first)])
    place = node.expressions.index(star)
    columns = [exp.column(name.copy()) for name in first]
    node.set("expressions", [*node.expressions[:place], *columns, *node.expressions[place:]])
    return node


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.Select: _select}
