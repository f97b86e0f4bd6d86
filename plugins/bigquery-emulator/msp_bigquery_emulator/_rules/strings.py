"""Functions of STRING and BYTES.

https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, call_once, function, macro
from msp_bigquery_emulator._rules.types import kind_of


def _substring(node: exp.Expr) -> exp.Expr:
    of = "bytes" if kind_of(node.this) == "BYTES" else "text"
    start, length = node.args.get("start"), node.args.get("length")
    if start is None:
        raise invalid_query("No matching signature for function SUBSTR")
    given = [part for part in (node.this, start, length) if part is not None]
    return call_once(f"strings.{of}_part{len(given) - 1}", *given)


def _position(node: exp.Expr) -> exp.Expr:
    """Write STRPOS and INSTR, the latter with a position to begin at and an occurrence."""
    position, occurrence = node.args.get("position"), node.args.get("occurrence")
    if kind_of(node.this) == "BYTES":
        raise make_unsupported("the position of BYTES in others")
    if position is None and occurrence is None:
        return node
    one = exp.Literal.number(1)
    return call("strings.instr", node.this, node.args["substr"], position or one, occurrence or one)


def _regexp_position(node: exp.Expr) -> exp.Expr:
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or "(" in pattern.this.replace("(?:", ""):
        raise make_unsupported("REGEXP_INSTR with a group, or with what is no literal")
    for key in ("position", "occurrence"):
        part = node.args.get(key)
        if part is not None and part.name != "1":
            raise make_unsupported(f"REGEXP_INSTR with a {key}")
    end = node.args.get("option")
    before = f"^((?s:.)*?)(?:{pattern.this})"
    whole = f"^((?s:.)*?(?:{pattern.this}))"
    if end is not None and end.name == "1":
        return call("strings.regexp_end", node.this, pattern, whole)
    return call("strings.regexp_position", node.this, pattern, before)


def _byte_length(node: exp.Expr) -> exp.Expr:
    value = node.this
    return function(
        "octet_length", value if kind_of(value) == "BYTES" else function("encode", value)
    )


def _length(node: exp.Expr) -> exp.Expr:
    name = "octet_length" if kind_of(node.this) == "BYTES" else "length"
    return function(name, node.this)


def _upper(node: exp.Expr) -> exp.Expr:
    return node if kind_of(node.this) == "BYTES" else call("strings.upper", node.this)


def _normalize(node: exp.Expr) -> exp.Expr:
    form = node.args.get("form")
    if (form and form.name.upper() != "NFC") or node.args.get("is_casefold"):
        raise make_unsupported("NORMALIZE but to NFC")
    return function("nfc_normalize", node.this)


def _code_points(node: exp.Expr) -> exp.Expr:
    of = "bytes" if kind_of(node.this) == "BYTES" else "text"
    return call(f"strings.{of}_code_points", node.this)


def _digest(node: exp.Expr) -> exp.Expr:
    length = node.args.get("length")
    if length is not None and length.name != "256":
        raise make_unsupported(f"the function SHA{length.name}")
    return node


def _like(node: exp.Expr) -> exp.Expr:
    """Let a backslash escape, as it does in BigQuery."""
    pattern = node.expression
    if isinstance(pattern, exp.Any | exp.All):
        return node
    if isinstance(pattern, exp.Literal) and "\\" not in pattern.this:
        return node
    return exp.Paren(this=exp.Escape(this=node.copy(), expression=exp.Literal.string("\\")))


def _collate(node: exp.Expr) -> exp.Expr:
    name = node.expression.name
    if name == "binary":
        raise invalid_query("Collation 'binary' in collate function is not supported.")
    if name:
        raise make_unsupported(f"the collation {name}")
    return node


def _pad(node: exp.Expr) -> exp.Expr:
    if kind_of(node.this) == "BYTES":
        raise make_unsupported("LPAD and RPAD of BYTES")
    side = "lpad" if node.args.get("is_left") else "rpad"
    fill = node.args.get("fill_pattern") or exp.Literal.string(" ")
    return call(f"strings.{side}", node.this, node.expression, fill)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.ByteLength: _byte_length,
    exp.Length: _length,
    exp.Pad: _pad,
    exp.StrPosition: _position,
    exp.Substring: _substring,
    exp.ToCodePoints: _code_points,
    exp.Upper: _upper,
}
RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Chr: lambda node: call("strings.chr", node.expressions[0]),
    exp.Collate: _collate,
    exp.CodePointsToBytes: macro("strings.code_points_bytes", "this"),
    exp.CodePointsToString: macro("strings.code_points_text", "this"),
    exp.FromBase32: macro("strings.from_base32", "this"),
    exp.Like: _like,
    exp.Normalize: _normalize,
    exp.ParseBignumeric: macro("strings.parse_bignumeric", "this"),
    exp.ParseNumeric: macro("strings.parse_numeric", "this"),
    exp.RegexpInstr: _regexp_position,
    exp.Repeat: macro("strings.repeat", "this", "times"),
    exp.SHA2Digest: _digest,
    exp.SafeConvertBytesToString: macro("strings.safe_text", "this"),
    exp.ToBase32: macro("strings.to_base32", "this"),
    exp.Unicode: macro("strings.unicode", "this"),
}
