"""The families of rules, put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._clauses import aggregates, selects, set_operations, statements, windows
from msp_bigquery_emulator._rules import (
    arithmetic,
    arrays,
    casts,
    comparisons,
    dates,
    formats,
    functions,
    json_values,
    literals,
    maths,
    printf,
    strings,
    structs,
    zones,
)
from msp_bigquery_emulator._rules.build import Rule

FAMILIES: Final[tuple[ModuleType, ...]] = (
    aggregates,
    arithmetic,
    arrays,
    casts,
    comparisons,
    dates,
    formats,
    functions,
    json_values,
    literals,
    maths,
    printf,
    selects,
    set_operations,
    statements,
    strings,
    structs,
    windows,
    zones,
)


@cache
def rules() -> Mapping[type[exp.Expr], Rule]:
    """Return the rule of each class of nodes."""
    return {kind: rule for family in FAMILIES for kind, rule in rules_of(family).items()}


@cache
def typed_classes() -> frozenset[type[exp.Expr]]:
    """Return the classes whose rules read types."""
    return frozenset(
        kind
        for family in FAMILIES
        if family is not comparisons  # which are everywhere, and seldom of floats
        for kind in getattr(family, "TYPED", ())
    )


def rules_of(family: ModuleType) -> Mapping[type[exp.Expr], Rule]:
    """Return the rules of one family."""
    return {**getattr(family, "RULES", {}), **getattr(family, "TYPED", {})}
