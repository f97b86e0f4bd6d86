"""FORMAT(): a text with values in it.

https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, cast, function
from msp_bigquery_emulator._rules.casts import convert
from msp_bigquery_emulator._rules.types import element_kind, kind_of

_SPECIFIER: Final = re.compile(
    r"%(?P<flags>[-+ #0']*)(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*))?(?P<of>[A-Za-z%])"
)
_INTEGERS: Final = "dioxX"
_FLOATS: Final = "fFeEgG"


def _format(node: exp.Expr) -> exp.Expr:
    pattern = node.this
    if not isinstance(pattern, exp.Literal):
        raise make_unsupported("FORMAT with a pattern that is no literal")
    pieces = list(_pieces(pattern.this, iter(node.expressions)))
    if not pieces:
        return exp.Literal.string("")
    return reduce(lambda before, piece: exp.DPipe(this=before, expression=piece), pieces)


def _pieces(pattern: str, values: Iterator[exp.Expr]) -> Iterator[exp.Expr]:
    start = 0
    for found in _SPECIFIER.finditer(pattern):
        if found.start() > start:
            yield exp.Literal.string(pattern[start : found.start()])
        start = found.end()
        if found["of"] == "%":
            yield exp.Literal.string("%")
            continue
        value = next(values, None)
        if value is None:
            raise invalid_query("Too few arguments to FORMAT for the pattern")
        yield _piece(found, value)
    if next(values, None) is not None:
        raise invalid_query("Too many arguments to FORMAT for the pattern")
    if start < len(pattern):
        yield exp.Literal.string(pattern[start:])


def _piece(found: re.Match[str], value: exp.Expr) -> exp.Expr:
    of, flags = found["of"], found["flags"]
    if "*" in (found["width"], found["precision"]):
        raise make_unsupported("FORMAT with a width that is an argument")
    if of in _INTEGERS or of in _FLOATS:
        return _number(found, value)
    if of == "s":
        shown = value
    elif of in "tT":
        shown = (_text if of == "t" else _written)(value)
    else:
        raise make_unsupported(f"FORMAT with %{of}")
    if found[0] == f"%{of}":
        return shown
    return function("printf", f"%{flags}{_size(found)}s", shown)


def _size(found: re.Match[str]) -> str:
    precision = "" if found["precision"] is None else f".{found['precision']}"
    return f"{found['width'] or ''}{precision}"


def _number(found: re.Match[str], value: exp.Expr) -> exp.Expr:
    of, flags = found["of"], found["flags"]
    if "'" in flags:
        if of != "d" or flags != "'" or _size(found):
            raise make_unsupported("FORMAT with the flag ' and others")
        return function("format", "{:,}", cast(value, "BIGINT"))
    if of in _INTEGERS:
        of = "d" if of == "i" else of
        return function("printf", f"%{flags}{_size(found)}{of}", cast(value, "BIGINT"))
    return function("printf", f"%{flags}{_size(found)}{of}", cast(value, "DOUBLE"))


def _text(value: exp.Expr) -> exp.Expr:
    """Return what %t shows."""
    kind = kind_of(value)
    if kind == "ARRAY":
        return call(f"casts.list_text_{_element(value)}", value)
    if kind == "FLOAT64":
        text: exp.Expr = call("casts.float_literal", value)
    elif kind in ("STRUCT", "BYTES", "JSON", "INTERVAL", ""):
        raise make_unsupported(f"FORMAT with %t of {kind or 'this value'}")
    else:
        text = convert(value, "STRING") or cast(value, "VARCHAR")
    return exp.Coalesce(this=text, expressions=[exp.Literal.string("NULL")])


def _element(value: exp.Expr) -> str:
    kind = element_kind(value)
    if kind not in ("INT64", "STRING", "FLOAT64", "BOOL"):
        raise make_unsupported(f"FORMAT of an ARRAY of {kind or 'these values'}")
    return {"STRING": "text", "FLOAT64": "float"}.get(kind, "plain")


def _written(value: exp.Expr) -> exp.Expr:
    """Return what %T shows: a literal."""
    kind = kind_of(value)
    if kind in ("INT64", "FLOAT64", "BOOL"):
        return _text(value)
    if kind == "ARRAY":
        return call(f"casts.list_literal_{_element(value)}", value)
    if kind == "STRING":
        return call("casts.text_literal", value)
    if kind in ("STRUCT", "BYTES", "JSON", "INTERVAL", ""):
        raise make_unsupported(f"FORMAT with %T of {kind or 'this value'}")
    text = convert(value, "STRING") or cast(value, "VARCHAR")
    return call("casts.typed_literal", kind, text)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {exp.Format: _format}
