"""Rules: the families beside each other."""

from __future__ import annotations

from collections import Counter

import pytest

from msp_bigquery_emulator._clauses.set_operations import check_names
from msp_bigquery_emulator._errors import BigQueryError
from msp_bigquery_emulator._sql import families


def test_one_rule_for_a_class() -> None:
    """No family hides the rule of another."""
    counts = Counter(kind for family in families.FAMILIES for kind in families.rules_of(family))

    assert [kind for kind, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("names", [[], ["*"], ["a", ""]])
def test_columns_without_names(names: list[str]) -> None:
    """What cannot be matched by name is refused."""
    with pytest.raises(BigQueryError, match="BY NAME of columns that have no names"):
        check_names(names)
