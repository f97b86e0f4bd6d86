"""Rules: the families beside each other."""

from __future__ import annotations

from collections import Counter

from msp_bigquery_emulator._sql import families


def test_one_rule_for_a_class() -> None:
    """No family hides the rule of another."""
    counts = Counter(kind for family in families.FAMILIES for kind in families.rules_of(family))

    assert [kind for kind, count in counts.items() if count > 1] == []
