"""CAST and SAFE_CAST: what BigQuery converts otherwise than DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from sqlglot import exp

from msp_bigquery_emulator._errors import make_unsupported
from msp_bigquery_emulator._functions.families import PREFIX, SAFE
from msp_bigquery_emulator._rules.build import Rule, call, cast, function
from msp_bigquery_emulator._rules.types import kind_of

_Convert: TypeAlias = Callable[[exp.Expr], exp.Expr]


def _by(name: str, *more: str) -> _Convert:
    return lambda value: call(name, value, *more)


_CONVERSIONS: Final[Mapping[tuple[str, str], _Convert]] = {
    ("FLOAT64", "INT64"): _by("casts.float_int"),
    ("FLOAT64", "STRING"): _by("casts.float_text"),
    ("NUMERIC", "STRING"): _by("casts.numeric_text"),
    ("BIGNUMERIC", "STRING"): _by("casts.numeric_text"),
    ("STRING", "INT64"): _by("casts.text_int"),
    ("STRING", "FLOAT64"): _by("casts.text_float"),
    ("STRING", "BOOL"): _by("casts.text_bool"),
    ("STRING", "BYTES"): lambda value: function("encode", value),
    ("BYTES", "STRING"): lambda value: function("decode", value),
    ("TIMESTAMP", "STRING"): _by("casts.timestamp_text", "UTC"),
    ("TIMESTAMP", "TIME"): lambda value: cast(cast(value, "TIMESTAMP"), "TIME"),
    ("DATETIME", "STRING"): _by("casts.moment_text"),
    ("TIME", "STRING"): _by("casts.time_text"),
}


def convert(value: exp.Expr, target: str) -> exp.Expr | None:
    """Return a value as another type; None when DuckDB's own cast does as BigQuery's."""
    known = _CONVERSIONS.get((kind_of(value), target))
    return None if known is None else known(value)


def _cast(node: exp.Expr) -> exp.Expr:
    if node.args.get("format"):
        raise make_unsupported("CAST with FORMAT")
    if node.args["to"].expressions:
        return node
    return convert(node.this, kind_of(node)) or node


def _try_cast(node: exp.Expr) -> exp.Expr:
    new = _cast(node)
    return node if new is node else safely(new)


def safely(node: exp.Expr) -> exp.Expr:
    """Return an expression that is NULL where the given one would fail."""
    return function("try", without_errors(node))


def without_errors(node: exp.Expr) -> exp.Expr:
    """Let macros in an expression give NULL in place of errors of their own."""
    for name in node.find_all(exp.Identifier):
        if isinstance(name.parent, exp.Dot) and name.this.startswith(PREFIX):
            name.set("this", SAFE + name.this.removeprefix(SAFE).removeprefix(PREFIX))
    return node


def _safe(node: exp.Expr) -> exp.Expr:
    """Write SAFE.f(…): NULL where f would fail."""
    return safely(node.this)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Cast: _cast,
    exp.SafeFunc: _safe,
    exp.TryCast: _try_cast,
}
