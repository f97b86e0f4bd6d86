"""Plain: the values that both ways into BigQuery know."""

from __future__ import annotations

from typing import Any

Plain = Any
"""None, bool, int, float, str, bytes, Decimal, datetime, date, time; lists and dicts of them.

Texts, bytes, lists and dicts are exactly of these types, the others may be of a derived one.
"""
