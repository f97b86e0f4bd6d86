"""JSON: paths and subscripts, and from JSON to other types and back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from sqlglot import exp

from msp_bigquery_emulator._errors import make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, cast, function
from msp_bigquery_emulator._rules.casts import convert
from msp_bigquery_emulator._rules.types import kind_name, kind_of


def subscript(value: exp.Expr, key: exp.Expr) -> exp.Expr:
    """Return the member or element of a JSON value; NULL when there is none."""
    if isinstance(key, exp.Literal) and key.is_string:
        return function("json_extract", value, _key_path(key.this))
    if kind_of(key) == "STRING":
        start = exp.DPipe(this=exp.Literal.string('$."'), expression=key)
        key = exp.DPipe(this=start, expression=exp.Literal.string('"'))
    return function("json_extract", value, key)


def _key_path(key: str) -> str:
    return '$."' + key.replace('"', '\\"') + '"'


def _path(node: exp.Expr) -> exp.Expr:
    """Return a path in DuckDB's words."""
    path = node.expression
    if not isinstance(path, exp.JSONPath):
        return exp.Paren(this=path)
    text = "$"
    for part in path.expressions:
        if isinstance(part, exp.JSONPathKey) and isinstance(part.this, str):
            text += _key_path(part.this).removeprefix("$")
        elif isinstance(part, exp.JSONPathSubscript) and isinstance(part.this, int):
            text += f"[{part.this}]"
        elif not isinstance(part, exp.JSONPathRoot):
            raise make_unsupported(f"the JSON path {path.sql('bigquery')}")
    return exp.Literal.string(text)


def _document(node: exp.Expr) -> exp.Expr:
    """Return the JSON that a function reads, from text when it is given text."""
    return node.this if kind_of(node.this) == "JSON" else call("json.read", node.this)


def _query(node: exp.Expr) -> exp.Expr:
    """Write JSON_QUERY and JSON_EXTRACT: JSON of JSON, text of text."""
    if kind_of(node.this) == "JSON":
        return function("json_extract", node.this, _path(node))
    return call("json.query_text", _document(node), _path(node))


def _query_array(node: exp.Expr) -> exp.Expr:
    of = "elements" if kind_of(node.this) == "JSON" else "element_texts"
    return call(f"json.{of}", _document(node), _path(node))


def _at_path(name: str) -> Rule:
    return lambda node: call(name, _document(node), _path(node))


def _of_value(name: str) -> Rule:
    return lambda node: call(name, node.this)


def _to_json(node: exp.Expr) -> exp.Expr:
    """Write TO_JSON and TO_JSON_STRING."""
    if node.args.get("options") is not None:
        raise make_unsupported("TO_JSON_STRING with pretty_print")
    value = _encode(node.this, node.this.type)
    return function("to_json", value) if node.args.get("to_json") else call("json.to_text", value)


def _encode(value: exp.Expr, kind: exp.DataType | None, depth: int = 0) -> exp.Expr:
    """Return a value with those parts as text that JSON has no type for."""
    name = "" if kind is None else kind_name(kind)
    if kind is None or not _has_encoded(kind):
        return value
    if name == "ARRAY":
        one = exp.to_identifier(f"e{depth}")
        inner = _encode(exp.column(one.copy()), kind.expressions[0], depth + 1)
        return function("list_transform", value, exp.Lambda(this=inner, expressions=[one]))
    if name == "STRUCT":
        members = [
            exp.PropertyEQ(
                this=member.this.copy(),
                expression=_encode(
                    exp.Dot(this=value.copy(), expression=member.this.copy()),
                    member.args["kind"],
                    depth,
                ),
            )
            for member in kind.expressions
        ]
        known = exp.If(this=exp.Is(this=value.copy(), expression=exp.Null()), true=exp.Null())
        return exp.Case(ifs=[known], default=exp.Struct(expressions=members))
    return call(f"json.from_{name.lower()}", value)


def _has_encoded(kind: exp.DataType) -> bool:
    return any(kind_name(part) in _ENCODED for part in kind.find_all(exp.DataType))


def _keys(node: exp.Expr) -> exp.Expr:
    """Write JSON_KEYS of one level, or of all."""
    depth = node.args.get("expression")
    if node.args.get("mode") is not None or not (depth is None or depth.name == "1"):
        raise make_unsupported("JSON_KEYS with a depth of more than 1, or a mode")
    return call("json.keys" if depth is None else "json.top_keys", node.this)


def _remove(node: exp.Expr) -> exp.Expr:
    """Write JSON_REMOVE of members."""
    value: exp.Expr = node.this
    for path in node.expressions:
        keys = re.fullmatch(r"\$((?:\.[A-Za-z_]\w*)+)", path.name)
        if not isinstance(path, exp.Literal) or keys is None:
            raise make_unsupported("JSON_REMOVE of anything but members by their names")
        patch: Any = None
        for key in reversed(keys[1][1:].split(".")):
            patch = {key: patch}
        value = call("json.remove", value, path, json.dumps(patch))
    return value


def _string(node: exp.Expr) -> exp.Expr:
    """Write STRING(x): of JSON, or of a date or time, perhaps in a zone."""
    kind, zone = kind_of(node.this), node.args.get("zone")
    if kind == "JSON":
        return call("json.string", node.this)
    if zone is not None:
        return call("casts.timestamp_text", node.this, zone)
    return convert(node.this, "STRING") or cast(node.this, "VARCHAR")


_ENCODED: Final = frozenset({"BYTES", "DATETIME", "FLOAT64", "TIME", "TIMESTAMP"})
TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.JSONExtract: _query,
    exp.JSONFormat: _to_json,
    exp.JSONExtractArray: _query_array,
    exp.JSONExtractScalar: _at_path("json.scalar"),
    exp.JSONValueArray: _at_path("json.scalars"),
    exp.String: _string,
}
RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Float64: _of_value("json.float64"),
    exp.Int64: _of_value("json.int64"),
    exp.JSONBool: _of_value("json.bool"),
    exp.JSONKeysAtDepth: _keys,
    exp.JSONRemove: _remove,
    exp.JSONType: _of_value("json.type"),
    exp.LaxBool: _of_value("json.lax_bool"),
    exp.LaxFloat64: _of_value("json.lax_float64"),
    exp.LaxInt64: _of_value("json.lax_int64"),
    exp.LaxString: _of_value("json.lax_string"),
}
