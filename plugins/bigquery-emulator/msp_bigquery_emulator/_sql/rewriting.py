"""Rewriting: a statement of GoogleSQL becomes one that means the same in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules import comparisons
from msp_bigquery_emulator._rules.types import PARAMETER_TYPE, annotate
from msp_bigquery_emulator._sql.families import rules, typed_classes
from msp_bigquery_emulator._sql.parameters import POSITIONAL, Parameter
from msp_bigquery_emulator._store.fields import Field

# Where these are, a value may be NaN or a struct.
_FLOATS_OR_STRUCTS: Final = frozenset(
    {exp.Anonymous, exp.Cast, exp.Parameter, exp.Struct, exp.TryCast, exp.Tuple}
)


class Names(Protocol):
    """What the names of tables stand for."""

    def __call__(self, node: exp.Table) -> exp.Expr:
        """Return what stands for a table's name in DuckDB's SQL."""

    def fields(self, node: exp.Table) -> Sequence[Field]:
        """Return the columns of what is named; none when it is no table."""


def rewrite(statement: exp.Expr, *, table: Names, parameters: Mapping[str, Parameter]) -> exp.Expr:
    """Return a statement that means in DuckDB what it meant in BigQuery.

    Args:
        statement: as parsed; left as it is.
        table: gives what stands for a table's name.
        parameters: by name, in lower case.

    Raises:
        BigQueryError: a table or parameter does not exist, or something is not supported.
    """
    root = exp.Paren(this=_name_columns(statement.copy()))  # so that every node has a parent
    for node in root.find_all(exp.Parameter):
        node.meta[PARAMETER_TYPE] = _parameter(node, parameters).type
    nodes = list(root.this.dfs())
    if _needs_types(nodes, table):
        annotate(root.this, table.fields)
    for node in reversed(nodes):  # the inner ones first: a rule meets rewritten parts
        new = _rewritten(node, table, parameters)
        if new is not node:
            if not node.is_data_type:
                new.type = node.type or new.type
            node.replace(new)
    rewritten: exp.Expr = root.this.pop()
    return rewritten


def _needs_types(nodes: Sequence[exp.Expr], table: Names) -> bool:
    """Whether a rule reads types; comparisons do only where floats or structs may be."""
    classes = set(map(type, nodes))
    if not typed_classes().isdisjoint(classes):
        return True
    if comparisons.TYPED.keys().isdisjoint(classes):
        return False
    if any(comparisons.compares_columns(node) for node in nodes):
        return True
    return not _FLOATS_OR_STRUCTS.isdisjoint(classes) or any(
        field.type in ("FLOAT", "RECORD")
        for node in nodes
        if isinstance(node, exp.Table)
        for field in table.fields(node)
    )


def _rewritten(node: exp.Expr, table: Names, parameters: Mapping[str, Parameter]) -> exp.Expr:
    if isinstance(node, exp.Table):
        return table(node)
    if isinstance(node, exp.Parameter):
        return exp.Var(this=_parameter(node, parameters).sql)
    rule = rules().get(type(node))
    return node if rule is None else rule(node)


def _parameter(node: exp.Parameter, parameters: Mapping[str, Parameter]) -> Parameter:
    name = node.name
    if name.lower() not in parameters:
        shown = "positional parameter" if name.startswith(POSITIONAL) else f"parameter '{name}'"
        raise invalid_query(f"Query {shown} not found")
    return parameters[name.lower()]


def _name_columns(statement: exp.Expr) -> exp.Expr:
    """Give the columns that have no name those of BigQuery, such as `f0_`."""
    if not isinstance(statement, exp.Query):
        return statement
    select: exp.Expr = statement
    while isinstance(select, exp.SetOperation | exp.Subquery):
        select = select.this
    if select.args.get("kind") == "STRUCT":
        select.set("kind", None)  # the columns of one that is not nested are those of the result
    if select.args.get("kind") == "VALUE":
        raise make_unsupported("SELECT AS VALUE that is not nested")
    number = 0
    for column in select.args.get("expressions") or ():
        named = column.unnest()
        if named is not column and isinstance(named, exp.Column):
            column.replace(exp.alias_(named.copy(), named.name, quoted=True))
        elif isinstance(column, exp.Dot) and isinstance(column.expression, exp.Identifier):
            column.replace(exp.alias_(column.copy(), column.expression.copy()))
        elif not isinstance(column, exp.Alias | exp.Column | exp.Dot | exp.Star):
            column.replace(exp.alias_(column.copy(), f"f{number}_"))
            number += 1
    return statement
