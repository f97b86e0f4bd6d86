"""SELECT: what it gives and how its columns are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule


def _select(node: exp.Expr) -> exp.Expr:
    """Give the columns of `*` in the order of BigQuery."""
    return _star_struct(_unpivot(_using(node)))


def _star_struct(node: exp.Expr) -> exp.Expr:
    """Write SELECT AS STRUCT * by the name of a row."""
    stars = any(isinstance(one, exp.Star) for one in node.expressions)
    if node.args.get("kind") != "STRUCT" or not stars:
        return node
    inner = node.copy()
    inner.set("kind", None)
    name = exp.to_identifier("msp$row")
    source = exp.Subquery(this=inner, alias=exp.TableAlias(this=name))
    return exp.Select(expressions=[exp.column(name.copy())]).from_(source)


def _unpivot(node: exp.Expr) -> exp.Expr:
    """Put the values of UNPIVOT before the names of the columns they come from."""
    from_ = node.args.get("from_")
    pivots = from_.this.args.get("pivots") if from_ is not None else None
    pivot = next((one for one in pivots or () if one.args.get("unpivot")), None)
    stars = [one for one in node.expressions if isinstance(one, exp.Star)]
    if pivot is None or len(stars) != 1 or stars[0].args.get("except_"):
        return node
    values = [name for value in pivot.expressions for name in value.find_all(exp.Identifier)]
    last = [*values, *(field.this for field in pivot.args["fields"])]
    columns = [exp.column(name.copy()) for name in last]
    stars[0].set("except_", columns)
    place = node.expressions.index(stars[0]) + 1
    given = [*node.expressions[:place], *(one.copy() for one in columns)]
    node.set("expressions", [*given, *node.expressions[place:]])
    return node


def _using(node: exp.Expr) -> exp.Expr:
    """Put the columns of USING first."""
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
