"""Mathematical functions.

https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.arithmetic import decimal_of
from msp_bigquery_emulator._rules.build import Rule, call, cast, function, macro
from msp_bigquery_emulator._rules.casts import safely
from msp_bigquery_emulator._rules.types import element_kind, kind_of


def _round(node: exp.Expr) -> exp.Expr:
    """Write ROUND: of an integer it gives a float."""
    mode = node.args.get("truncate")
    value, digits = _of_float(node.this), node.args.get("decimals")
    if mode is None:
        return function("round", value, *([] if digits is None else [digits]))
    if mode.name == "ROUND_HALF_EVEN":
        return function("round_even", value, digits or exp.Literal.number(0))
    if mode.name != "ROUND_HALF_AWAY_FROM_ZERO":
        raise invalid_query(f"Invalid rounding mode {mode.name}")
    return function("round", value, digits or exp.Literal.number(0))


def _of_float(value: exp.Expr) -> exp.Expr:
    return cast(value, "DOUBLE") if kind_of(value) == "INT64" else value


def _whole(name: str) -> Rule:
    """Return the rule of CEIL and FLOOR."""
    return lambda node: function(name, _of_float(node.this))


def _trunc(node: exp.Expr) -> exp.Expr:
    digits = node.args.get("decimals")
    value = _of_float(node.this)
    if digits is None:
        return function("trunc", value)
    return call("maths.trunc_digits", value, digits)


def _sign(node: exp.Expr) -> exp.Expr:
    kind = kind_of(node.this)
    if kind == "FLOAT64":
        return call("maths.float_sign", node.this)
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return cast(function("sign", node.this), "DECIMAL(38,9)")
    return node


def _log(node: exp.Expr) -> exp.Expr:
    base, value = node.this, node.expression
    if isinstance(base, exp.Literal) and base.name == "10":
        return call("maths.log10", value)
    return call("maths.log", value, base)


def _power(node: exp.Expr) -> exp.Expr:
    if decimal_of(node):
        return cast(function("pow", node.this, node.expression), "DECIMAL(38,9)")
    return call("maths.power", node.this, node.expression)


def _safe(operator: type[exp.Binary]) -> Rule:
    def rule(node: exp.Expr) -> exp.Expr:
        exact = {kind_of(node.this), kind_of(node.expression)} & {"NUMERIC", "BIGNUMERIC"}
        left, right = (_wide(part) for part in (node.this, node.expression))
        result: exp.Expr = operator(this=left, expression=right)
        return safely(cast(result, "DECIMAL(38,9)") if exact else result)

    return rule


def _wide(node: exp.Expr) -> exp.Expr:
    return cast(node, "BIGINT") if kind_of(node) == "INT64" else node


def _safe_negate(node: exp.Expr) -> exp.Expr:
    negative = exp.Neg(this=exp.Paren(this=node.this))
    floating = kind_of(node.this) in ("FLOAT64", "NUMERIC", "BIGNUMERIC")
    return safely(negative if floating else cast(negative, "BIGINT"))


def _bit_count(node: exp.Expr) -> exp.Expr:
    if kind_of(node.this) == "BYTES":
        raise make_unsupported("BIT_COUNT of BYTES")
    return cast(function("bit_count", cast(node.this, "BIGINT")), "BIGINT")


def _series(node: exp.Expr) -> exp.Expr:
    """Write GENERATE_ARRAY, of integers, floats or decimals."""
    start, end = node.args["start"], node.args["end"]
    step = node.args.get("step") or exp.Literal.number(1)
    kinds = {kind_of(part) for part in (start, end, step)} or {element_kind(node)}
    if "FLOAT64" in kinds:
        return call("maths.float_series", *(cast(part, "DOUBLE") for part in (start, end, step)))
    if kinds & {"NUMERIC", "BIGNUMERIC"}:
        decimals = (cast(part, "DECIMAL(38,9)") for part in (start, end, step))
        return call("maths.float_series", *decimals)
    return call("maths.int_series", start, end, step)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.BitwiseCount: _bit_count,
    exp.Ceil: _whole("ceil"),
    exp.Floor: _whole("floor"),
    exp.GenerateSeries: _series,
    exp.Pow: _power,
    exp.Round: _round,
    exp.SafeAdd: _safe(exp.Add),
    exp.SafeMultiply: _safe(exp.Mul),
    exp.SafeNegate: _safe_negate,
    exp.SafeSubtract: _safe(exp.Sub),
    exp.Sign: _sign,
    exp.Trunc: _trunc,
}
RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.BitwiseLeftShift: macro("maths.shift_left", "this", "expression"),
    exp.BitwiseRightShift: macro("maths.shift_right", "this", "expression"),
    exp.Cot: macro("maths.cot", "this"),
    exp.Coth: macro("maths.coth", "this"),
    exp.Csc: macro("maths.csc", "this"),
    exp.Csch: macro("maths.csch", "this"),
    exp.Exp: macro("maths.exp", "this"),
    exp.Ln: macro("maths.ln", "this"),
    exp.Log: _log,
    exp.RangeBucket: macro("maths.range_bucket", "this", "expression"),
    exp.Sec: macro("maths.sec", "this"),
    exp.Sech: macro("maths.sech", "this"),
    exp.Sqrt: macro("maths.sqrt", "this"),
}
