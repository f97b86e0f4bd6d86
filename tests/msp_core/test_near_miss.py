"""Did you mean: which names are taken for misspellings of which."""

from __future__ import annotations

import pytest

from msp_core._near_miss import edits, near_misses


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("", "", 0),
        ("", "AB", 2),
        ("PORT", "PORT", 0),
        ("PORT", "PROT", 1),
        ("PORT", "POR", 1),
        ("PORT", "PORTS", 1),
        ("PORT", "SORT", 1),
        ("PORT", "PGPORT", 2),
        ("CA", "ABC", 3),
        ("ENDPOINT", "NEDPIONT", 2),
    ],
)
def test_edits_are_counted(one: str, other: str, distance: int) -> None:
    """One slip of a finger is one edit, a swap of neighbours included, in either direction."""
    assert edits(one, other) == distance
    assert edits(other, one) == distance


@pytest.mark.parametrize(
    ("present", "declared", "found"),
    [
        pytest.param("PROT", "PORT", True, id="swapped"),
        pytest.param("port", "PORT", True, id="lower case"),
        pytest.param("PGPORT", "PORT", False, id="another variable that is well known"),
        pytest.param("HOME", "PORT", False, id="unlike"),
        pytest.param("REDIS_ENPOINT", "REDIS_ENDPOINT", True, id="left out"),
        pytest.param("REDIS_ENPIONT", "REDIS_ENDPOINT", True, id="two edits of a long name"),
        pytest.param("REDIS_ENPIOTN", "REDIS_ENDPOINT", False, id="three edits"),
        pytest.param("PGINSTANC_", "PGINSTANCE", True, id="ten letters, one edit"),
        pytest.param("REDIS_PORT", "REDIS_HOST", False, id="ten letters, two edits"),
        pytest.param("PGINSTANCE__", "PGINSTANCEXY", True, id="twelve letters, two edits"),
    ],
)
def test_a_long_name_may_differ_more(present: str, declared: str, *, found: bool) -> None:
    """Short names are close to each other by chance, long ones by mistake."""
    assert near_misses([present], [declared]) == ({present: declared} if found else {})


def test_declared_name_that_is_set_is_not_suggested() -> None:
    """Somebody who set PORT did not misspell it."""
    assert near_misses(["PORT", "PROT"], ["PORT"]) == {}


def test_declared_name_is_not_a_misspelling() -> None:
    """Two declared names may be close."""
    assert near_misses(["DB_URL"], ["DB_URL", "DB_URI"]) == {}


def test_closest_declared_name_is_suggested() -> None:
    """Of several names that are close, the closest; of equally close ones, the first declared."""
    declared = ["CACHE_ENDPOINT_B2", "CACHE_ENDPOINT_1", "CACHE_ENDPOINT_2"]

    assert near_misses(["CACHE_ENDPOINT_"], declared) == {"CACHE_ENDPOINT_": "CACHE_ENDPOINT_1"}
