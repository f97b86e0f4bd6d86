"""Zones: the local time of a moment, and the moment of a local time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pytz  # type: ignore[import-untyped]
from sqlglot import exp

from msp_bigquery_emulator._errors import invalid_query, make_unsupported
from msp_bigquery_emulator._rules.build import Rule, call, cast, function
from msp_bigquery_emulator._rules.types import kind_of

_OFFSET: Final = re.compile(r"(UTC)?[+-]\d{1,2}(:\d\d)?")
_UNITS: Final = {3: 1_000, 6: 1}


def in_zone(moment: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """Return the DATETIME of a TIMESTAMP in a zone."""
    return _apply_zone("local", cast(moment, "TIMESTAMPTZ"), zone)


def to_moment(local: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """Return the TIMESTAMP of a DATETIME in a zone."""
    return _apply_zone("moment", cast(local, "TIMESTAMP"), zone)


def _apply_zone(name: str, value: exp.Expr, zone: exp.Expr) -> exp.Expr:
    check_zone(zone)
    if isinstance(zone, exp.Literal) and not _OFFSET.fullmatch(zone.this):
        return function("timezone", zone, value)
    return call(f"dates.{name}", value, zone)


def check_zone(zone: exp.Expr) -> None:
    """Refuse the name of a zone that is not in the tz database.

    Raises:
        BigQueryError: it is not.
    """
    literal = isinstance(zone, exp.Literal) and not _OFFSET.fullmatch(zone.this)
    if literal and zone.this not in pytz.all_timezones_set:
        raise invalid_query(f"Invalid time zone: {zone.this}")


def _timestamp(node: exp.Expr) -> exp.Expr:
    """Write TIMESTAMP(x) and TIMESTAMP(x, zone)."""
    zone = node.args.get("zone")
    if zone is None or kind_of(node.this) == "TIMESTAMP":
        return cast(node.this, "TIMESTAMPTZ")
    return to_moment(node.this, zone)


def _datetime(node: exp.Expr) -> exp.Expr:
    """Write DATETIME(date, time) and DATETIME(timestamp, zone)."""
    second = node.expression
    if kind_of(node.this) == "TIMESTAMP":
        return in_zone(node.this, second)
    day = cast(node.this, "DATE")
    return cast(exp.Add(this=day, expression=cast(second, "TIME")), "TIMESTAMP")


def _date(node: exp.Expr) -> exp.Expr:
    """Write DATE(x) and DATE(timestamp, zone)."""
    zone = node.args.get("zone")
    return cast(node.this if zone is None else in_zone(node.this, zone), "DATE")


def _time(node: exp.Expr) -> exp.Expr:
    """Write TIME(x) and TIME(timestamp, zone)."""
    zone = node.args.get("zone")
    if kind_of(node.this) == "TIMESTAMP" or zone is not None:
        return cast(in_zone(node.this, zone or exp.Literal.string("UTC")), "TIME")
    return cast(node.this, "TIME")


def _time_of(node: exp.Expr) -> exp.Expr:
    """Write TIME(x) where sqlglot reads it so; FORMAT_TIME's own is left."""
    return node if isinstance(node.parent, exp.TimeToStr) else _time(node)


def _from_unix(node: exp.Expr) -> exp.Expr:
    """Write TIMESTAMP_SECONDS, TIMESTAMP_MILLIS and TIMESTAMP_MICROS."""
    scale = node.args.get("scale")
    factor = 1_000_000 if scale is None else _UNITS[int(scale.name)]
    micros = cast(node.this, "BIGINT")
    if factor > 1:
        micros = exp.Mul(this=micros, expression=exp.Literal.number(factor))
    return function("make_timestamptz", micros)


def _to_unix(micros: int) -> Rule:
    """Return the rule of UNIX_SECONDS and UNIX_MILLIS, which round down."""
    return lambda node: call("dates.unix", node.this, micros)


def _current(kind: str) -> Rule:
    """Return the rule of CURRENT_DATE, CURRENT_TIME and CURRENT_DATETIME: of a zone, or of UTC."""

    def rule(node: exp.Expr) -> exp.Expr:
        zone = node.this or exp.Literal.string("UTC")
        return cast(in_zone(exp.CurrentTimestamp(), zone), kind)

    return rule


def _at_time_zone(node: exp.Expr) -> exp.Expr:
    if not isinstance(node.parent, exp.Extract):
        raise make_unsupported("AT TIME ZONE")
    return node


TYPED: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.Date: _date,
    exp.Datetime: _datetime,
    exp.Time: _time,
    exp.Timestamp: _timestamp,
    exp.TsOrDsToTime: _time_of,
}
RULES: Final[Mapping[type[exp.Expr], Rule]] = {
    exp.AtTimeZone: _at_time_zone,
    exp.CurrentDate: _current("DATE"),
    exp.CurrentDatetime: _current("TIMESTAMP"),
    exp.CurrentTime: _current("TIME"),
    exp.UnixMillis: _to_unix(1_000),
    exp.UnixSeconds: _to_unix(1_000_000),
    exp.UnixToTime: _from_unix,
}
