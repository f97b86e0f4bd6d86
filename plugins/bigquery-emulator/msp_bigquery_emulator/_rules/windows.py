"""Window functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from msp_bigquery_emulator._rules.build import Rule
from msp_bigquery_emulator._rules.casts import without_errors


def _window(node: exp.Expr) -> exp.Expr:
    order = node.args.get("order")
    if order is not None:
        without_errors(order)  # DuckDB orders by nothing that may raise an error
    return node


RULES: Final[Mapping[type[exp.Expr], Rule]] = {exp.Window: _window}
