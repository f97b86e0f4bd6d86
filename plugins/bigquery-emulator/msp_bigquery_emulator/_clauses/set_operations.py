"""Set operations that match columns by their names.

https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#set_operators
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule
from msp_bigquery_emulator._rules.types import COLUMNS


def _by_name(node: exp.Expr) -> exp.Expr:
    if not node.args.get("by_name"):
        return node
    left, right = (check_names(names) for names in node.meta[COLUMNS])
    on = [column.name for column in node.args.get("on") or ()]
    columns = _match_columns(node, left, right, on)
    for key, names in (("this", left), ("expression", right)):
        node.set(key, _take(node.args[key], columns, names))
    for key in ("by_name", "side", "kind", "on"):
        node.set(key, None)
    return node


def check_names(names: list[str]) -> list[str]:
    """Return the names of a query's columns.

    Raises:
        BigQueryError: some have none, or none that is known here.
    """
    if not names or "*" in names or "" in names:
        raise make_unsupported("a set operation BY NAME of columns that have no names here")
    return names


def _match_columns(
    node: exp.Expr, left: Sequence[str], right: Sequence[str], on: Sequence[str]
) -> list[str]:
    """Return the columns of the result."""
    lower_left, lower_right = ({name.lower() for name in names} for names in (left, right))
    side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
    if on:
        return list(on)
    if side == "FULL":
        return [*left, *(name for name in right if name.lower() not in lower_left)]
    if side == "LEFT":
        return list(left)
    if kind == "INNER":
        common = [name for name in left if name.lower() in lower_right]
        if not common:
            raise invalid_query("Set operation with no common columns")
        return common
    if lower_left != lower_right:
        raise invalid_query("Queries of a set operation BY NAME have different columns")
    return list(left)


def _take(query: exp.Expr, columns: Sequence[str], names: Sequence[str]) -> exp.Expr:
    """Return a query of some columns of another; one that it lacks is NULL."""
    known = {name.lower() for name in names}
    taken = [
        exp.column(name, quoted=True)
        if name.lower() in known
        else exp.alias_(exp.Null(), name, quoted=True)
        for name in columns
    ]
    inner = query.this if isinstance(query, exp.Subquery) and not query.alias else query
    source = exp.Subquery(this=inner.copy(), alias=exp.TableAlias(this=exp.to_identifier("side")))
    return exp.Select(expressions=taken).from_(source)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Except: _by_name,
    exp.Intersect: _by_name,
    exp.Union: _by_name,
}
