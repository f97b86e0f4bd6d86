"""Arrays: which element a subscript names, and the offsets of UNNEST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule, call_once, function, macro
from msp_bigquery_emulator._rules.json_values import subscript
from msp_bigquery_emulator._rules.types import element_kind, kind_of


def _bracket(node: exp.Expr) -> exp.Expr:
    """Write `a[OFFSET(i)]` and its like; `a[i]` counts as OFFSET does."""
    (index,) = node.expressions
    if kind_of(node.this) == "JSON" or (isinstance(index, exp.Literal) and index.is_string):
        return subscript(node.this, index)
    name = "ordinal" if node.args.get("offset") == 1 else "offset"
    safe = "safe_" if node.args.get("safe") else ""
    return call_once(f"arrays.array_{safe}{name}", node.this, index)


def _unnest(node: exp.Expr) -> exp.Expr:
    """Write UNNEST in FROM: of structs `*` gives the members, and offsets begin at 0."""
    if not isinstance(node.parent, exp.From | exp.Join):
        return node
    select = node.find_ancestor(exp.Select)
    stars = select is not None and any(isinstance(one, exp.Star) for one in select.expressions)
    structs = element_kind(node.expressions[0]) == "STRUCT" or bool(node.args.get("explode_array"))
    offset = node.args.get("offset")
    if not isinstance(offset, exp.Identifier):
        node.set("explode_array", bool(node.args.get("explode_array")) or (structs and stars))
        return node
    node.set("explode_array", None)
    return _with_offset(node, offset, expand=structs and stars)


def _with_offset(node: exp.Expr, offset: exp.Identifier, *, expand: bool) -> exp.Expr:
    """Return elements and their places; DuckDB's ORDINALITY begins at 1."""
    alias = node.args.get("alias")
    names = list(alias.columns) if alias is not None else []
    value = names[0].copy() if names else exp.to_identifier("f0_")
    inner = node.copy()
    columns = [value.copy(), exp.to_identifier("msp$ordinal")]
    inner.set("alias", exp.TableAlias(this=exp.to_identifier("msp$unnest"), columns=columns))
    ordinal = exp.column("msp$ordinal", quoted=True)
    place = exp.Sub(this=ordinal, expression=exp.Literal.number(1))
    element: exp.Expr = exp.column(value.copy())
    given = function("unnest", element) if expand else element
    select = exp.Select(expressions=[given, exp.alias_(place, offset.copy())]).from_(inner)
    whole = value.copy() if expand else exp.to_identifier("msp$with_offset")
    return exp.Lateral(this=exp.Subquery(this=select), alias=exp.TableAlias(this=whole))


RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.ArrayFirst: macro("arrays.first", "this"),
    exp.ArrayLast: macro("arrays.last", "this"),
    exp.ArraySlice: macro("arrays.slice", "this", "start", "end"),
}
TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Bracket: _bracket,
    exp.Unnest: _unnest,
}
