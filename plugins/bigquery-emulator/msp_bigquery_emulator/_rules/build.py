"""What rules make nodes with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sqlglot import exp

from msp_bigquery_emulator._errors import make_unsupported
from msp_bigquery_emulator._functions.families import PREFIX

Rule: TypeAlias = Callable[[exp.Expr], exp.Expr]


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Expr:
    """Return a call of a macro.

    Args:
        name: of its family and its own, such as `dates.local`.
        arguments: texts and numbers become literals.
    """
    family, _, own = name.partition(".")
    called = exp.Anonymous(this=own, expressions=[_argument(one) for one in arguments])
    return exp.Dot(this=exp.to_identifier(PREFIX + family), expression=called)


def call_once(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Return a call of a macro that evaluates each argument once, though it names it often."""
    if not any(argument.find(exp.Query) for argument in arguments):
        return call(name, *arguments)
    # DuckDB pastes arguments into macros; it would run a subquery for each time.
    members = [f"a{number}" for number in range(len(arguments))]
    once = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(member), expression=argument)
            for member, argument in zip(members, arguments, strict=True)
        ]
    )
    one = exp.to_identifier("once")
    called = call(name, *(exp.column(member, table="once") for member in members))
    each = function(
        "list_transform", exp.Array(expressions=[once]), exp.Lambda(this=called, expressions=[one])
    )
    return function("list_extract", each, 1)


def function(name: str, *arguments: exp.Expr | str | int) -> exp.Expr:
    """Return a call of a function of DuckDB's own."""
    return exp.Anonymous(this=name, expressions=[_argument(one) for one in arguments])


def cast(node: exp.Expr, kind: str) -> exp.Expr:
    """Return a cast to a type of DuckDB's."""
    return exp.Cast(this=node, to=exp.DataType.build(kind, dialect="duckdb"))


def _argument(value: exp.Expr | str | int) -> exp.Expr:
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinstance(value, int):
        return exp.Literal.number(value)
    return value


def macro(name: str, *keys: str) -> Rule:
    """Return the rule that calls a macro with the parts of a node.

    Args:
        name: of its family and its own, such as `maths.sec`.
        keys: of the parts, in the order of the macro's parameters; the last ones may be missing.
    """
    return lambda node: call(name, *(node.args[key] for key in keys if node.args.get(key)))


def refuse(what: str) -> Rule:
    """Return the rule of what BigQuery can and this emulator cannot."""

    def raise_unsupported(_: exp.Expr) -> exp.Expr:
        raise make_unsupported(what)

    return raise_unsupported
