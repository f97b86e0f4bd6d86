"""Lone surrogates: halves of characters, which Python's texts may hold and UTF-8 may not."""

from __future__ import annotations

from collections.abc import Mapping

from msp_bigquery._rows.json_text import json_bytes
from msp_bigquery._rows.plain import Plain
from msp_bigquery._rows.values import SURROGATE, RefusalError


def make_refusal(values: Mapping[str, Plain]) -> RefusalError:
    """Return what is wrong with a row that has no UTF-8: one of its values, or its id."""
    where = "the insert id"
    for name, value in values.items():
        try:
            json_bytes({name: value})
        except UnicodeEncodeError:
            where = f"column {name!r}"
            break
    return RefusalError(f"{where} {SURROGATE}")
