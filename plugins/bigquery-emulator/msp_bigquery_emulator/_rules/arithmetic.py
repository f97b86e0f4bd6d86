"""Arithmetic: NUMERIC stays NUMERIC, integers have 64 bits, and nothing is divided by zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, call_once, cast
from msp_bigquery_emulator._rules.types import is_float_literal, kind_of

_EXACT: Final = frozenset({"NUMERIC", "BIGNUMERIC"})


def _kinds(node: exp.Expr) -> set[str]:
    return {kind_of(node.this), kind_of(node.expression)}


def decimal_of(node: exp.Expr) -> str:
    """Return the exact type in which two operands meet; empty when one is a float."""
    kinds = _kinds(node)
    if "FLOAT64" in kinds or not kinds & _EXACT:
        return ""
    return "BIGNUMERIC" if "BIGNUMERIC" in kinds else "NUMERIC"


def _coerce(node: exp.Expr) -> None:
    """Make a literal such as 1.5 a NUMERIC beside one."""
    for one, beside in ((node.this, node.expression), (node.expression, node.this)):
        number = one.this if isinstance(one, exp.Neg) else one
        literal = number.this if isinstance(number, exp.Cast) else None  # by its own rule
        if literal is not None and kind_of(beside) in _EXACT and is_float_literal(literal):
            kind = "DECIMAL(38,9)" if kind_of(beside) == "NUMERIC" else "DECIMAL(38,18)"
            sign = "-" if isinstance(one, exp.Neg) else ""
            new = cast(exp.Literal.string(sign + literal.this), kind)
            new.type = beside.type
            one.replace(new)


def _widen(node: exp.Expr) -> None:
    """Give an integer literal 64 bits; DuckDB takes it for one of 32."""
    for part in (node.this, node.expression):
        if isinstance(part, exp.Literal) and part.is_int:
            part.replace(cast(part.copy(), "BIGINT"))


def _add(node: exp.Expr) -> exp.Expr:
    _coerce(node)
    if _kinds(node) == {"INT64"}:
        _widen(node)
    if isinstance(node, exp.Sub) and _kinds(node) & {"DATE", "DATETIME", "TIMESTAMP"} == _kinds(
        node
    ):
        raise make_unsupported("the difference of two dates as an INTERVAL")
    return node


def _multiply(node: exp.Expr) -> exp.Expr:
    _coerce(node)
    if _kinds(node) == {"INT64"}:
        _widen(node)
    exact = decimal_of(node)
    if exact == "NUMERIC":
        return cast(exp.Paren(this=node.copy()), "DECIMAL(38,9)")
    if exact:
        return cast(exp.Paren(this=node.copy()), "DECIMAL(38,18)")
    return node


def _divide(name: str) -> Rule:
    def rule(node: exp.Expr) -> exp.Expr:
        _coerce(node)
        exact = decimal_of(node)
        if exact == "BIGNUMERIC":
            raise make_unsupported("the division of BIGNUMERIC")
        if exact:
            return call(f"arithmetic.numeric_{name}", node.this, node.expression)
        return call_once(f"arithmetic.{name}", node.this, node.expression)

    return rule


def _int_divide(node: exp.Expr) -> exp.Expr:
    _widen(node)
    if _kinds(node) <= {"INT64", ""}:
        return call_once("arithmetic.int_divide", node.this, node.expression)
    return call_once("arithmetic.numeric_int_divide", node.this, node.expression)


def _modulo(node: exp.Expr) -> exp.Expr:
    return call_once("arithmetic.modulo", node.this, node.expression)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Add: _add,
    exp.Div: _divide("divide"),
    exp.IntDiv: _int_divide,
    exp.Mod: _modulo,
    exp.Mul: _multiply,
    exp.SafeDivide: _divide("safe_divide"),
    exp.Sub: _add,
}
