"""Comparisons and order: NaN is greater than nothing and equal to nothing, and comes first.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#floating_point_semantics
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query
from msp_bigquery_emulator._rules.build import Rule, call, function
from msp_bigquery_emulator._rules.types import kind_of

_NUMBERS: Final = frozenset({"INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC"})
_SIGNS: Final[Mapping[type[exp.Expr], str]] = {
    exp.EQ: "=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


def _may_be_nan(node: exp.Expr) -> bool:
    constant = isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal)
    return kind_of(node) == "FLOAT64" and not constant and not node.find(exp.Query)


def _guard(key: str) -> Rule:
    """Return the rule of a comparison that DuckDB finds true when one side is NaN."""

    def rule(node: exp.Expr) -> exp.Expr:
        check_types(node)
        side = node.args[key]
        if not _may_be_nan(side):
            return node
        is_number = exp.Not(this=function("isnan", side.copy()))
        return exp.Paren(this=exp.And(this=node.copy(), expression=is_number))

    return rule


def check_types(node: exp.Expr) -> None:
    """Refuse a comparison of two columns whose types have nothing in common.

    Raises:
        BigQueryError: they have not.
    """
    left, right = node.this, node.expression
    if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
        return  # a literal may be of another type than it looks
    kinds = [kind_of(left), kind_of(right)]
    groups = {"number" if kind in _NUMBERS else kind for kind in kinds}
    if "" in groups or len(groups) == 1:
        return
    place = left.this.meta
    raise invalid_query(
        f"No matching signature for operator {_SIGNS[type(node)]} for argument types: "
        f"{', '.join(kinds)}\n  Signature: T1 {_SIGNS[type(node)]} T1\n"
        "    Unable to find common supertype for templated argument <T1>\n"
        f"      Input types for <T1>: {{{', '.join(sorted(kinds))}}}"
        f" at [{place.get('line', 1)}:{place.get('col', 1)}]"
    )


def _equal(node: exp.Expr) -> exp.Expr:
    check_types(node)
    if kind_of(node.this) == kind_of(node.expression) == "STRUCT":
        return _equal_members(node)
    if _may_be_nan(node.this) and _may_be_nan(node.expression):
        return _guard("this")(node)
    return node


def compares_columns(node: exp.Expr) -> bool:
    """Whether a node compares two columns, whose types then must go together."""
    pair = (node.args.get("this"), node.args.get("expression"))
    return type(node) in _SIGNS and all(isinstance(side, exp.Column) for side in pair)


def _equal_members(node: exp.Expr) -> exp.Expr:
    """Compare structs member by member: names do not matter."""
    left, right = node.this.type, node.expression.type
    count = len(left.expressions)
    names = [[member.name.lower() for member in kind.expressions] for kind in (left, right)]
    if names[0] == names[1] or count != len(right.expressions):
        return node
    pairs: Iterator[exp.Expr] = (
        exp.EQ(
            this=function("struct_extract_at", node.this.copy(), place),
            expression=function("struct_extract_at", node.expression.copy(), place),
        )
        for place in range(1, count + 1)
    )
    return exp.Paren(this=reduce(lambda a, b: exp.And(this=a, expression=b), pairs))


def _order(node: exp.Expr) -> exp.Expr:
    """Let NaN come before all numbers."""
    value = node.this
    if not _may_be_nan(value) or node.find_ancestor(exp.SetOperation, exp.Select) is None:
        return node
    parent = node.find_ancestor(exp.Select, exp.SetOperation, exp.AggFunc)
    distinct = isinstance(parent, exp.Select) and parent.args.get("distinct")
    if distinct or isinstance(parent, exp.SetOperation) or _sorts_aggregate(node):
        return node
    node.set("this", call("comparisons.sort_key", value.copy()))
    return node


def _sorts_aggregate(node: exp.Expr) -> bool:
    order = node.parent
    return order is not None and isinstance(order.this, exp.Distinct)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.EQ: _equal,
    exp.GT: _guard("this"),
    exp.GTE: _guard("this"),
    exp.LT: _guard("expression"),
    exp.LTE: _guard("expression"),
    exp.Ordered: _order,
}
