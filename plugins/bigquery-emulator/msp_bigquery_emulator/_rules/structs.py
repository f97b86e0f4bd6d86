"""STRUCT: the names of members that have none.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#constructing_a_struct
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule, function

_BY_POSITION: Final = (exp.Insert, exp.Update, exp.Merge)


def _struct(node: exp.Expr) -> exp.Expr:
    """Name members as BigQuery does; where a type follows, or a column, their places count."""
    unnamed = [one for one in node.expressions if not isinstance(one, exp.PropertyEQ)]
    if not unnamed or isinstance(node.parent, exp.Cast | exp.TryCast):
        return node
    if len(unnamed) == len(node.expressions) and node.find_ancestor(*_BY_POSITION):
        return function("row", *(one.copy() for one in node.expressions))
    names = [_name(one, number) for number, one in enumerate(node.expressions, 1)]
    return _name_members(node, names)


def _name_members(node: exp.Expr, names: list[str]) -> exp.Expr:
    """Return a struct; in an array the first one names the members of all."""
    first = node.parent.expressions[0] if isinstance(node.parent, exp.Array) else node
    if first is not node and len(first.expressions) == len(names):
        names = [_name(one, number) for number, one in enumerate(first.expressions, 1)]
    values = [
        one.expression if isinstance(one, exp.PropertyEQ) else one for one in node.expressions
    ]
    members = [
        exp.PropertyEQ(this=exp.to_identifier(name), expression=value.copy())
        for name, value in zip(names, values, strict=True)
    ]
    return exp.Struct(expressions=members)


def _name(member: exp.Expr, number: int) -> str:
    named = isinstance(member, exp.PropertyEQ | exp.Column) and member.name
    return str(named or f"_field_{number}")


def _tuple(node: exp.Expr) -> exp.Expr:
    """Read `(1, 'a')` as a struct where it is a value."""
    parent = node.parent
    if isinstance(parent, exp.Array | exp.Alias | exp.EQ | exp.NEQ):
        names = [_name(one, number) for number, one in enumerate(node.expressions, 1)]
        return _name_members(node, names)
    return node


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.Struct: _struct, exp.Tuple: _tuple}
