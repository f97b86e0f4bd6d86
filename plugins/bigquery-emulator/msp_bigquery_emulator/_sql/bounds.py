"""Bounds: what BigQuery limits, so that no statement runs or grows without end.

All of it works on a statement that is DuckDB's already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import sqlglot
from sqlglot import exp

# https://cloud.google.com/bigquery/docs/recursive-ctes#limits
_ITERATIONS: Final = 500
_TOO_DEEP: Final = f"A recursive CTE has reached the maximum number of iterations: {_ITERATIONS}"
_STEP: Final = "msp$step"
_MOST: Final = (1 << 20) - 1  # elements of an array that is generated
_TOO_MANY: Final = f"Cannot generate arrays with more than {_MOST} elements."

_Rule: TypeAlias = Callable[[exp.Expr], None]


def limit(statement: exp.Expr) -> exp.Expr:
    """Return a statement that fails where BigQuery's limits are exceeded; it is changed."""
    for node in list(statement.find_all(*_RULES)):
        _RULES[type(node)](node)
    return statement


def _limit_iterations(node: exp.Expr) -> None:
    if node.args.get("recursive"):
        for cte in list(node.expressions):
            _count_steps(node, cte)


def _count_steps(with_: exp.Expr, cte: exp.Expr) -> None:
    """Number the iterations of a recursive CTE in a column of its own, hidden from the others."""
    union, name = cte.this, cte.alias
    term = union.expression.unnest() if isinstance(union, exp.Union) else None
    if not isinstance(term, exp.Select) or union.args.get("distinct") or term.args.get("group"):
        return
    source = next((table for table in _sources(term) if _is(table, name)), None)
    if source is None or cte.args["alias"].columns:
        return
    inner = f"{name}${_STEP}"
    alias = source.alias or name
    source.set("this", exp.to_identifier(inner, quoted=True))
    source.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    for column in term.expressions:
        star = column.this if isinstance(column, exp.Column) else column
        if isinstance(star, exp.Star) and column.text("table") in ("", alias):
            star.append("except_", exp.to_identifier(_STEP, quoted=True))
    step = exp.column(_STEP, table=alias, quoted=True).sql("duckdb")
    number = f"CASE WHEN {step} < {_ITERATIONS - 1} THEN {step} + 1 ELSE {_error(_TOO_DEEP)} END"
    term.append("expressions", exp.alias_(_duckdb(number), _STEP, quoted=True))
    base = exp.select("*", exp.alias_(exp.Literal.number(0), _STEP, quoted=True))
    union.set("this", base.from_(exp.Subquery(this=union.this, alias="msp$base")))
    without = exp.Star(except_=[exp.to_identifier(_STEP, quoted=True)])
    outer = exp.select(without).from_(exp.to_table(f'"{inner}"', dialect="duckdb"))
    shown = exp.CTE(this=outer, alias=cte.args["alias"].copy())
    cte.set("alias", exp.TableAlias(this=exp.to_identifier(inner, quoted=True)))
    position = with_.expressions.index(cte)
    ctes = [*with_.expressions[: position + 1], shown, *with_.expressions[position + 1 :]]
    with_.set("expressions", ctes)


def _sources(select: exp.Select) -> list[exp.Expr]:
    from_ = select.args.get("from_")
    joins = [join.this for join in select.args.get("joins") or ()]
    return [from_.this, *joins] if from_ else []


def _is(table: exp.Expr, name: str) -> bool:
    return isinstance(table, exp.Table) and not table.db and table.name.lower() == name.lower()


def _limit_moments(node: exp.Expr) -> None:
    start, end = (node.args[name].sql("duckdb") for name in ("start", "end"))
    size = f"(epoch({end}::TIMESTAMPTZ) - epoch({start}::TIMESTAMPTZ)) / epoch({{0}})"
    _cap(node, "step", size, _MOST, _TOO_MANY)


def _cap(node: exp.Expr, argument: str, size: str, most: int, message: str) -> None:
    """Make an argument fail when it asks for too much, before the function is called."""
    value = f"({node.args[argument].sql('duckdb')})"
    sql = f"CASE WHEN {size.format(value)} > {most} THEN {_error(message)} ELSE {value} END"
    node.set(argument, _duckdb(sql))


def _duckdb(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="duckdb")


def _error(message: str) -> str:
    return f"error('{message}')"


_RULES: Final[Mapping[type[exp.Expr], _Rule]] = {
    exp.GenerateTimestampArray: _limit_moments,
    exp.With: _limit_iterations,
}
