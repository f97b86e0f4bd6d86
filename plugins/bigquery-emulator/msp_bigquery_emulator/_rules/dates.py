"""Dates and times: a DATE stays one, weeks begin on Sunday, differences are as BigQuery counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, cast, function
from msp_bigquery_emulator._rules.types import kind_of
from msp_bigquery_emulator._rules.zones import in_zone, to_moment

_DAYS: Final = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_MICROS: Final = {
    "MICROSECOND": 1,
    "MILLISECOND": 1_000,
    "SECOND": 1_000_000,
    "MINUTE": 60_000_000,
    "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
}
_MONTHS: Final = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DUCKDB: Final = {
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMPTZ",
    "TIME": "TIME",
}
_PART: Final = {"ISOWEEK": "week"}


def unit_of(node: exp.Expr) -> tuple[str, int]:
    """Return a date part, such as `DAY`, and the day with which its weeks begin, Sunday being 0."""
    unit = node.args.get("unit")
    if isinstance(unit, exp.WeekStart):
        return "WEEK", _DAYS.index(unit.name.upper())
    return ("DAY" if unit is None else unit.name.upper()), 0


def shift(unit: str, count: exp.Expr) -> exp.Expr:
    """Return the interval of so many units."""
    if isinstance(count, exp.Literal):
        count = exp.Literal.number(count.this)
    count = exp.Paren(this=count)
    if unit in _MONTHS:
        return function("to_months", cast(_times(count, _MONTHS[unit]), "INTEGER"))
    if unit in ("WEEK", "ISOWEEK"):
        return function("to_days", cast(_times(count, 7), "INTEGER"))
    if unit == "DAY":
        return function("to_days", cast(count, "INTEGER"))
    if unit not in _MICROS:
        raise invalid_query(f"A valid date part name is required but found {unit}")
    return function("to_microseconds", cast(_times(count, _MICROS[unit]), "BIGINT"))


def _times(count: exp.Expr, factor: int) -> exp.Expr:
    if factor == 1:
        return count
    return exp.Mul(this=cast(count, "BIGINT"), expression=exp.Literal.number(factor))


def _move_rule(operator: type[exp.Add | exp.Sub], default: str) -> Rule:
    """Return the rule of DATE_ADD and its like, for what is of no known type."""

    def rule(node: exp.Expr) -> exp.Expr:
        unit, _ = unit_of(node)
        kind = _kind(node.this, default)
        value = cast(node.this, _DUCKDB[kind])
        return cast(operator(this=value, expression=shift(unit, node.expression)), _DUCKDB[kind])

    return rule


def _kind(node: exp.Expr, default: str) -> str:
    kind = kind_of(node)
    return kind if kind in _DUCKDB else default


def _truncate_rule(default: str) -> Rule:
    def rule(node: exp.Expr) -> exp.Expr:
        unit, day = unit_of(node)
        kind, zone = _kind(node.this, default), node.args.get("zone")
        value = cast(node.this, _DUCKDB[kind])
        if kind == "TIMESTAMP" and zone is not None:
            return to_moment(_truncate(in_zone(value, zone), unit, day, "DATETIME"), zone)
        return _truncate(value, unit, day, kind)

    return rule


def _truncate(value: exp.Expr, unit: str, day: int, kind: str) -> exp.Expr:
    if kind == "TIME":
        moved = exp.Add(this=cast(exp.Literal.string("1970-01-01"), "DATE"), expression=value)
        return cast(function("date_trunc", unit, moved), "TIME")
    if unit == "WEEK":
        return cast(call("dates.week_begin", value, day), _DUCKDB[kind])
    if unit == "ISOYEAR":
        return cast(call("dates.isoyear_begin", value), _DUCKDB[kind])
    if unit not in (*_MICROS, *_MONTHS, "ISOWEEK"):
        raise invalid_query(f"A valid date part name is required but found {unit}")
    return cast(function("date_trunc", _PART.get(unit, unit), value), _DUCKDB[kind])


def _difference_rule(default: str) -> Rule:
    def rule(node: exp.Expr) -> exp.Expr:
        unit, day = unit_of(node)
        kind = _kind(node.this, default)
        a, b = (cast(part, _DUCKDB[kind]) for part in (node.this, node.expression))
        if default == "TIMESTAMP" or (kind == "TIMESTAMP" and unit in _MICROS):
            if unit not in _MICROS:
                raise invalid_query(f"TIMESTAMP_DIFF does not support the {unit} date part")
            return call("dates.elapsed", a, b, _MICROS[unit])
        if kind == "TIME":
            return call("dates.time_diff", a, b, _MICROS[unit])
        if unit in ("WEEK", "ISOWEEK"):
            return call("dates.week_diff", a, b, day if unit == "WEEK" else 1)
        return function("date_diff", unit, b, a)

    return rule


def _extract(node: exp.Expr) -> exp.Expr:
    value, part = node.expression, node.this
    if isinstance(value, exp.AtTimeZone):
        value = in_zone(value.this, value.args["zone"])
    if isinstance(part, exp.WeekStart):
        return call("dates.week_of_year", value, _DAYS.index(part.name.upper()))
    name = part.name.upper()
    if name in ("DATE", "TIME", "DATETIME"):
        local = cast(value, "TIMESTAMP")  # DuckDB casts no TIMESTAMPTZ to TIME
        return local if name == "DATETIME" else cast(local, name)
    if name == "WEEK":
        return call("dates.week_of_year", value, 0)
    if name in ("DAYOFWEEK", "MILLISECOND", "MICROSECOND"):
        return call(f"dates.{name.lower()}", value)
    if name not in ("DAYOFYEAR", "ISOWEEK", "ISOYEAR", *_MICROS, *_MONTHS):
        raise make_unsupported(f"EXTRACT of {name}")
    return function("date_part", _PART.get(name, name), value)


def _last_day(node: exp.Expr) -> exp.Expr:
    unit, day = unit_of(node)
    value = cast(node.this, "DATE")
    if node.args.get("unit") is None or unit == "MONTH":
        return function("last_day", value)
    if unit in ("WEEK", "ISOWEEK"):
        return call("dates.last_week_day", value, day if unit == "WEEK" else 1)
    if unit == "ISOYEAR":
        return call("dates.last_isoyear_day", value)
    begin = function("date_trunc", unit, value)
    after = exp.Add(this=begin, expression=shift(unit, exp.Literal.number(1)))
    return cast(exp.Sub(this=after, expression=shift("DAY", exp.Literal.number(1))), "DATE")


def _from_unix_date(node: exp.Expr) -> exp.Expr:
    days = cast(node.this, "INTEGER")
    return exp.Add(this=cast(exp.Literal.string("1970-01-01"), "DATE"), expression=days)


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.DateAdd: _move_rule(exp.Add, "DATE"),
    exp.DateSub: _move_rule(exp.Sub, "DATE"),
    exp.DatetimeAdd: _move_rule(exp.Add, "DATETIME"),
    exp.DatetimeSub: _move_rule(exp.Sub, "DATETIME"),
    exp.TimestampAdd: _move_rule(exp.Add, "TIMESTAMP"),
    exp.TimestampSub: _move_rule(exp.Sub, "TIMESTAMP"),
    exp.TimeAdd: _move_rule(exp.Add, "TIME"),
    exp.TimeSub: _move_rule(exp.Sub, "TIME"),
    exp.DateTrunc: _truncate_rule("DATE"),
    exp.DatetimeTrunc: _truncate_rule("DATETIME"),
    exp.TimestampTrunc: _truncate_rule("TIMESTAMP"),
    exp.TimeTrunc: _truncate_rule("TIME"),
    exp.DateDiff: _difference_rule("DATE"),
    exp.DatetimeDiff: _difference_rule("DATETIME"),
    exp.TimestampDiff: _difference_rule("TIMESTAMP"),
    exp.TimeDiff: _difference_rule("TIME"),
}
RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.DateFromUnixDate: _from_unix_date,
    exp.Extract: _extract,
    exp.LastDay: _last_day,
}
