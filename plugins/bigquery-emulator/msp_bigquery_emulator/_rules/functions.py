"""Functions that sqlglot does not know by a class of their own; and those that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, refuse

_MACROS: Final = {
    "ARRAY_IS_DISTINCT": "arrays.is_distinct",
    "ARRAY_INCLUDES": "arrays.includes",
    "BOOL_ARRAY": "json.bools",
    "FLOAT64_ARRAY": "json.floats",
    "IEEE_DIVIDE": "arithmetic.ieee_divide",
    "INT64_ARRAY": "json.ints",
    "NULLIFZERO": "maths.null_if_zero",
    "STRING_ARRAY": "json.strings",
    "ZEROIFNULL": "maths.zero_if_null",
}
# What BigQuery has and this emulator lacks; any other name is nobody's.
_MISSING: Final = re.compile(
    r"(ST|S2|HLL_COUNT|KLL|ML|AI|BAG|DLP|OBJ|RANGE|JUSTIFY|LAX|JSON|PARSE|TIMESTAMP|DATE|DATETIME"
    r"|ARRAY|APPROX|DETERMINISTIC|AEAD|KEYS|EXTERNAL|REGEXP|NET|BIT|SAFE|GENERATE|UINT32)_\w+"
    r"|SEARCH|VECTOR_SEARCH|GAP_FILL|ELEMENTS|APPENDS|CHANGES|DIFFERENTIAL_PRIVACY|TYPEOF"
)


def _anonymous(node: exp.Expr) -> exp.Expr:
    name = node.name.upper()
    if isinstance(node.parent, exp.Dot | exp.NetFunc):
        return node  # with what is before the dot
    if name == "ERROR":
        return node
    if name in _MACROS:
        return call(_MACROS[name], *node.expressions)
    if _MISSING.fullmatch(name):
        raise make_unsupported(f"the function {name}")
    raise invalid_query(f"Function not found: {node.name}")


def _dot(node: exp.Expr) -> exp.Expr:
    if not isinstance(node.expression, exp.Anonymous | exp.AnonymousAggFunc):
        return node
    raise make_unsupported(f"the function {node.this.name.upper()}.{node.expression.name.upper()}")


def _net(node: exp.Expr) -> exp.Expr:
    called = node.this
    name = called.name if isinstance(called, exp.Anonymous) else called.key
    raise make_unsupported(f"the function NET.{name.upper()}")


RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Anonymous: _anonymous,
    exp.Dot: _dot,
    exp.NetFunc: _net,
    exp.FarmFingerprint: refuse("the function FARM_FINGERPRINT"),
    exp.JSONArrayAppend: refuse("the function JSON_ARRAY_APPEND"),
    exp.JSONArrayInsert: refuse("the function JSON_ARRAY_INSERT"),
    exp.JSONSet: refuse("the function JSON_SET"),
    exp.SessionUser: refuse("the function SESSION_USER"),
    exp.Soundex: refuse("the function SOUNDEX"),
}
