"""Aggregates: their types, what they give of nothing, and the limits within them.

https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, cast, function, refuse
from msp_bigquery_emulator._rules.casts import without_errors
from msp_bigquery_emulator._rules.types import kind_of


def _avg(node: exp.Expr) -> exp.Expr:
    """Write AVG; that of NUMERIC is NUMERIC."""
    kind = _kind_within(node.this)
    if kind == "BIGNUMERIC":
        raise make_unsupported("AVG of BIGNUMERIC")
    if kind != "NUMERIC":
        return node
    count = exp.Count(this=node.this.copy(), big_int=True)
    return call("arithmetic.numeric_divide", exp.Sum(this=node.this.copy()), count)


def _sum(node: exp.Expr) -> exp.Expr:
    """Write SUM; that of integers has 64 bits."""
    return cast(node.copy(), "BIGINT") if _kind_within(node.this) == "INT64" else node


def _kind_within(node: exp.Expr) -> str:
    return kind_of(node.expressions[0] if isinstance(node, exp.Distinct) else node)


def _count_if(node: exp.Expr) -> exp.Expr:
    """Write COUNTIF, which is 0 of nothing."""
    if isinstance(node.this, exp.Distinct):
        raise make_unsupported("COUNTIF of DISTINCT")
    branch = exp.If(this=node.this.copy(), true=exp.Literal.number(1))
    return exp.Count(this=exp.Case(ifs=[branch]), big_int=True)


def _minimum(node: exp.Expr) -> exp.Expr:
    """Write MIN, which is NaN when one is."""
    if kind_of(node.this) != "FLOAT64":
        return node
    any_nan = exp.LogicalOr(this=function("isnan", node.this.copy()))
    branch = exp.If(this=any_nan, true=cast(exp.Literal.string("nan"), "DOUBLE"))
    return exp.Case(ifs=[branch], default=node.copy())


def _limit(node: exp.Expr) -> exp.Expr:
    """Write the LIMIT within an aggregate as a part of the list."""
    if node.find(exp.Distinct) is not None:
        without_errors(node)
    limit = node.this
    if not isinstance(limit, exp.Limit):
        return node
    count = limit.expression
    node.set("this", limit.this)
    return function("list_slice", node.copy(), 1, count)


def _string_agg(node: exp.Expr) -> exp.Expr:
    if node.find(exp.Distinct) is not None:
        without_errors(node)  # what may raise an error is equal to nothing: not to its ORDER BY
    if not isinstance(node.this, exp.Limit):
        return node
    limit, separator = node.this, node.args.get("separator")
    values = _without_nulls(exp.ArrayAgg(this=limit.this.copy()))
    parts = function("list_slice", values, 1, limit.expression)
    return function("array_to_string", parts, separator or exp.Literal.string(","))


def _without_nulls(node: exp.Expr) -> exp.Expr:
    """Return an aggregate that leaves NULL out."""
    value = node.this
    while isinstance(value, exp.Order | exp.Distinct | exp.Limit):
        value = value.this or value.expressions[0]
    known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
    return exp.Filter(this=node, expression=exp.Where(this=known))


def _ignore_nulls(node: exp.Expr) -> exp.Expr:
    """Write IGNORE NULLS of ARRAY_AGG."""
    array = node.find(exp.ArrayAgg)
    if array is None:
        return node
    array.replace(_without_nulls(array.copy()))
    whole: exp.Expr = node.this
    return whole


def _top_count(node: exp.Expr) -> exp.Expr:
    return call("aggregates.top_count", function("histogram", node.this), node.expression)


def _quantiles(node: exp.Expr) -> exp.Expr:
    parts = node.expression
    if not isinstance(parts, exp.Literal) or isinstance(node.this, exp.Distinct):
        raise make_unsupported("APPROX_QUANTILES of DISTINCT, or of a number that is no literal")
    count = int(parts.name)
    if count < 1:
        raise invalid_query("The second argument of APPROX_QUANTILES must be at least 1")
    places = [cast(exp.Literal.number(place / count), "DOUBLE") for place in range(count + 1)]
    return function("quantile_disc", node.this, exp.Array(expressions=places))


def _distinct_count(node: exp.Expr) -> exp.Expr:
    """Count exactly what BigQuery counts approximately: of few values it is exact too."""
    return exp.Count(this=exp.Distinct(expressions=[node.this.copy()]), big_int=True)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {exp.Avg: _avg, exp.Min: _minimum, exp.Sum: _sum}
RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.ApproxDistinct: _distinct_count,
    exp.ApproxQuantiles: _quantiles,
    exp.ApproxTopK: _top_count,
    exp.ApproxTopSum: refuse("the function APPROX_TOP_SUM"),
    exp.ArrayAgg: _limit,
    exp.CountIf: _count_if,
    exp.GroupConcat: _string_agg,
    exp.IgnoreNulls: _ignore_nulls,
}
