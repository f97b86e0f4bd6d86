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
    members = [_member(one, number) for number, one in enumerate(node.expressions, 1)]
    return exp.Struct(expressions=members)


def _member(node: exp.Expr, number: int) -> exp.Expr:
    if isinstance(node, exp.PropertyEQ):
        return node.copy()
    name = node.name if isinstance(node, exp.Column) else ""
    name = name or f"_field_{number}"
    return exp.PropertyEQ(this=exp.to_identifier(name), expression=node.copy())


def _tuple(node: exp.Expr) -> exp.Expr:
    """Read `(1, 'a')` as a struct where it is a value."""
    parent = node.parent
    if isinstance(parent, exp.Array | exp.Alias | exp.EQ | exp.NEQ):
        return _struct(exp.Struct(expressions=[one.copy() for one in node.expressions]))
    return node


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.Struct: _struct, exp.Tuple: _tuple}
