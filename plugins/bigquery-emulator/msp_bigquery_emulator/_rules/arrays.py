"""Arrays: which element a subscript names, and the offsets of UNNEST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule, call_once, macro
from msp_bigquery_emulator._rules.json_values import subscript
from msp_bigquery_emulator._rules.types import kind_of


def _bracket(node: exp.Expr) -> exp.Expr:
    """Write `a[OFFSET(i)]` and its like; `a[i]` counts as OFFSET does."""
    (index,) = node.expressions
    if kind_of(node.this) == "JSON" or (isinstance(index, exp.Literal) and index.is_string):
        return subscript(node.this, index)
    name = "ordinal" if node.args.get("offset") == 1 else "offset"
    safe = "safe_" if node.args.get("safe") else ""
    return call_once(f"arrays.array_{safe}{name}", node.this, index)


def _unnest(node: exp.Expr) -> exp.Expr:
    """Let the offsets of UNNEST begin at 0; DuckDB's ORDINALITY begins at 1."""
    offset = node.args.get("offset")
    if not isinstance(offset, exp.Identifier) or not isinstance(node.parent, exp.From | exp.Join):
        return node
    alias = node.args.get("alias")
    names = list(alias.columns) if alias is not None else []
    value = names[0].copy() if names else exp.to_identifier("msp$element")
    inner = node.copy()
    inner.set(
        "alias",
        exp.TableAlias(
            this=exp.to_identifier("msp$unnest"),
            columns=[value.copy(), exp.to_identifier("msp$ordinal")],
        ),
    )
    ordinal = exp.column("msp$ordinal", quoted=True)
    zero = exp.Sub(this=ordinal, expression=exp.Literal.number(1))
    select = exp.Select(
        expressions=[exp.column(value.copy()), exp.alias_(zero, offset.copy())]
    ).from_(inner)
    return exp.Lateral(
        this=exp.Subquery(this=select),
        alias=exp.TableAlias(this=exp.to_identifier("msp$with_offset")),
    )


RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.ArrayFirst: macro("arrays.first", "this"),
    exp.ArrayLast: macro("arrays.last", "this"),
    exp.ArraySlice: macro("arrays.slice", "this", "start", "end"),
    exp.Unnest: _unnest,
}
TYPED: Final[Mapping[type[exp.Expr], Rule]] = {exp.Bracket: _bracket}
