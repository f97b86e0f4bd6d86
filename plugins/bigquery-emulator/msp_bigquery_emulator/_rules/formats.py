"""Formats of dates and times: FORMAT_DATE, PARSE_DATE and their like.

https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, cast, function
from msp_bigquery_emulator._rules.zones import check_zone, in_zone, to_moment

_ELEMENT: Final = re.compile(r"%(?:E(?:[*\dOY]?[A-Za-z]|4Y)|O[A-Za-z]|[A-Za-z%])")
_SHORT: Final = {
    "%c": "%a %b %e %H:%M:%S %Y",
    "%D": "%m/%d/%y",
    "%F": "%Y-%m-%d",
    "%R": "%H:%M",
    "%T": "%H:%M:%S",
    "%X": "%H:%M:%S",
    "%x": "%m/%d/%y",
    "%h": "%b",
    "%Ec": "%c",
    "%EX": "%X",
    "%Ex": "%x",
    "%EY": "%Y",
    "%Ey": "%y",
}
# What strftime of DuckDB writes as BigQuery does.
_SAME: Final = frozenset("%" + letter for letter in "AaBbdGHIjMmpSUuVWwy%")
_PARSED: Final = {
    **{
        element: element for element in ("%A", "%a", "%B", "%b", "%d", "%H", "%I", "%j", "%M", "%m")
    },
    **{element: element for element in ("%p", "%S", "%Y", "%y", "%%")},
    "%P": "%p",
    "%e": "%d",
    "%k": "%H",
    "%l": "%I",
    "%E4Y": "%Y",
    "%n": " ",
    "%t": " ",
    "%z": "%z",
    "%Ez": "%z",
    "%Z": "%Z",
}
_VALUES: Final = {
    exp.TsOrDsToDate: "DATE",
    exp.TsOrDsToDatetime: "TIMESTAMP",
    exp.TsOrDsToTimestamp: "TIMESTAMPTZ",
    exp.TsOrDsToTime: "TIME",
}


def _elements(text: str) -> Iterator[str]:
    """Give the elements and the texts between them; short forms such as %F are written out."""
    start = 0
    for found in _ELEMENT.finditer(text):
        if found.start() > start:
            yield text[start : found.start()]
        if found[0] in _SHORT:
            yield from _elements(_SHORT[found[0]])
        else:
            yield found[0]
        start = found.end()
    if start < len(text):
        yield text[start:]


def _literal_of(node: exp.Expr) -> str:
    of = node.args.get("format")
    if not isinstance(of, exp.Literal):
        raise make_unsupported("a format of dates that is no literal")
    return str(of.this)


def _format_value(node: exp.Expr) -> exp.Expr:
    """Write FORMAT_DATE, FORMAT_DATETIME, FORMAT_TIME and FORMAT_TIMESTAMP."""
    kind = _VALUES[type(node.this)]
    value, zone = cast(node.this.this, kind), node.args.get("zone") or exp.Literal.string("UTC")
    check_zone(zone)
    moment = value if kind == "TIMESTAMPTZ" else None
    if moment is not None:
        value = in_zone(moment, zone)
    elif kind == "TIME":
        value = exp.Add(this=cast(exp.Literal.string("1970-01-01"), "DATE"), expression=value)
    pieces = list(_pieces(_literal_of(node), cast(value, "TIMESTAMP"), moment, zone))
    return reduce(lambda before, piece: exp.DPipe(this=before, expression=piece), pieces)


def _pieces(
    text: str, value: exp.Expr, moment: exp.Expr | None, zone: exp.Expr
) -> Iterator[exp.Expr]:
    """Give the expressions whose texts, one after the other, are the formatted value."""
    run = ""
    for element in _elements(text):
        if element in _SAME or not element.startswith("%"):
            run += element
            continue
        if run:
            yield function("strftime", value.copy(), run)
            run = ""
        yield _piece(element, value.copy(), moment, zone)
    if run:
        yield function("strftime", value.copy(), run)


def _piece(element: str, value: exp.Expr, moment: exp.Expr | None, zone: exp.Expr) -> exp.Expr:
    name = _NAMED.get(element)
    if name is not None:
        return call(f"formats.{name}", value)
    digits = re.fullmatch(r"%E(\d|\*)S", element)
    if digits:
        return call("formats.seconds", value, -1 if digits[1] == "*" else int(digits[1]))
    if element in ("%n", "%t"):
        return exp.Literal.string("\n" if element == "%n" else "\t")
    if moment is not None and element in _ZONED:
        return call(f"formats.{_ZONED[element]}", moment.copy(), zone.copy())
    raise make_unsupported(f"the format element {element}")


_NAMED: Final = {
    "%Y": "year",
    "%E4Y": "year4",
    "%C": "century",
    "%e": "day",
    "%g": "isoyear2",
    "%k": "hour",
    "%l": "hour12",
    "%P": "am_pm",
    "%Q": "quarter",
    "%J": "isoday",
}
_ZONED: Final = {"%Z": "zone_name", "%z": "offset", "%Ez": "offset_colon", "%s": "epoch"}


def _parse_rule(kind: str) -> Rule:
    """Return the rule of PARSE_DATE and its like."""

    def rule(node: exp.Expr) -> exp.Expr:
        text = _literal_of(node)
        if "%s" in text or "%Q" in text:
            raise make_unsupported("the format element %s or %Q in a value that is read")
        formats = list(_readable(text))
        value = node.this
        if kind != "TIME" and not any("%Y" in one or "%y" in one for one in formats):
            value = exp.DPipe(this=exp.Literal.string("1970 "), expression=value)
            formats = [f"%Y {one}" for one in formats]
        accepted = exp.Array(expressions=[exp.Literal.string(one) for one in formats])
        read = function("strptime", value, accepted)
        if kind != "TIMESTAMPTZ":
            return cast(cast(read, "TIMESTAMP"), kind)
        if any("%z" in one or "%Z" in one for one in formats):
            return cast(read, kind)
        return to_moment(read, node.args.get("zone") or exp.Literal.string("UTC"))

    return rule


def _readable(text: str) -> Iterator[str]:
    """Give the formats of DuckDB that together read what one of BigQuery's does."""
    plain = [_PARSED.get(one, one) for one in _elements(text)]
    for fraction in ("%S.%f", "%S"):
        formats = [fraction if re.fullmatch(r"%E[\d*]S", one) else one for one in plain]
        unknown = [one for one in formats if one.startswith("%E")]
        if unknown:
            raise make_unsupported(f"the format element {unknown[0]}")
        yield "".join(formats)
        if formats == plain:
            return


RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.ParseDatetime: _parse_rule("TIMESTAMP"),
    exp.ParseTime: _parse_rule("TIME"),
    exp.StrToDate: _parse_rule("DATE"),
    exp.StrToTime: _parse_rule("TIMESTAMPTZ"),
    exp.TimeToStr: _format_value,
}
