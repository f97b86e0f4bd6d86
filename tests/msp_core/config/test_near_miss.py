"""Did you mean: which names are taken for misspellings of which, and what that costs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_core.config._near_miss import closest, edits, near_misses


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
    assert edits(one, other, 3) == distance
    assert edits(other, one, 3) == distance


def all_edits(one: str, other: str) -> int:
    """Return the optimal string alignment distance, the way textbooks count it."""
    rows: list[list[int]] = [[*range(len(other) + 1)]]
    for row, letter in enumerate(one, start=1):
        rows.append([row])
        for column, counterpart in enumerate(other, start=1):
            replaced = rows[-2][column - 1] + (letter != counterpart)
            cost = min(rows[-2][column] + 1, rows[-1][-1] + 1, replaced)
            if row > 1 < column and (letter, one[row - 2]) == (other[column - 2], counterpart):
                cost = min(cost, rows[-3][column - 2] + 1)
            rows[-1].append(cost)
    return rows[-1][-1]


@given(st.text("AB_", max_size=8), st.text("AB_", max_size=8), st.integers(0, 3))
def test_edits_are_those_of_the_textbook(one: str, other: str, most: int) -> None:
    """Giving up early changes no count."""
    expected = all_edits(one, other)

    assert edits(one, other, most) == (expected if expected <= most else None)


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


def test_name_that_is_meant() -> None:
    """Services and hooks are suggested by the same rule as variables."""
    assert closest("gestbook", ["tidy", "guestbook"]) == "guestbook"
    assert closest("book", ["tidy", "guestbook"]) is None
    assert closest("book", []) is None


def service_links(amount: int) -> list[str]:
    """Return what Kubernetes sets in a container for so many services, seven variables each."""
    tails = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP")
    more = ("PORT_80_TCP_PROTO", "PORT_80_TCP_ADDR")
    return [f"MSP_SHOP_{at}_{tail}" for at in range(amount) for tail in (*tails, *more)]


@pytest.mark.parametrize("link", service_links(1))
def test_service_link_is_no_misspelling(link: str) -> None:
    """Nobody wrote the variables that Kubernetes sets for each service of a namespace."""
    declared = f"{link[:-1]}X"

    assert near_misses(service_links(1), [declared]) == {}
    assert near_misses([link], [declared]) == (
        {} if link.endswith("_SERVICE_HOST") else {link: declared}
    )


def test_service_whose_name_looks_like_a_link() -> None:
    """The service is told by its host, however its own name ends."""
    links = ["MY_PORT_DB_SERVICE_HOST", "MY_PORT_DB_PORT"]

    assert near_misses(links, ["MY_PORT_DB_PORX"]) == {}


def test_misspelt_port_beside_service_links() -> None:
    """A name that ends like a link, of a service that does not exist, is a misspelling."""
    assert near_misses([*service_links(1), "GUESTBOK_PORT"], ["GUESTBOOK_PORT"]) == {
        "GUESTBOK_PORT": "GUESTBOOK_PORT"
    }
    assert near_misses(["SHOP_SERVICE_HOST", "SHOP_PORTER"], ["SHOP_PORTERS"]) == {
        "SHOP_PORTER": "SHOP_PORTERS"
    }


def calls(work: Callable[[], object]) -> int:
    """Return how many functions, built-in ones included, the work calls."""
    count = 0

    def counting(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


DECLARED = [f"MSP_RESOURCE_{at:02}_{tail}" for at in range(20) for tail in ("HOST", "TIMEOUT")]


@pytest.mark.parametrize(
    ("names", "per_name"),
    [
        pytest.param(service_links, 10, id="service links"),
        pytest.param(
            lambda amount: [f"SOME_FOREIGN_{at:05}_NAME" for at in range(7 * amount)],
            70,
            id="other names",
        ),
    ],
)
def test_work_grows_with_the_number_of_variables(
    names: Callable[[int], Iterable[str]], per_name: int
) -> None:
    """Beside 200 services, each variable costs what it costs beside 100, and not much."""
    few, many = (list(names(amount)) for amount in (100, 200))
    fewer = calls(lambda: near_misses(few, DECLARED))
    more = calls(lambda: near_misses(many, DECLARED))

    assert more < 2.1 * fewer
    assert more < per_name * len(many)
