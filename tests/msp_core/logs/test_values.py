"""Values of fields as JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_core._logs import values
from msp_core._logs.values import Encode, encode, find_encode
from msp_core.secret import Secret


@pytest.fixture(params=["standard library", "orjson"])
def encoder(request: pytest.FixtureRequest) -> Encode:
    """Give each of the two encoders."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
        return find_encode()
    return encode


class Colour(enum.Enum):
    RED = "red"


class Count(enum.IntEnum):
    TWO = 2


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class BrokenMapping(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "BrokenMapping"


class Text(str):
    """A text that looks different when it is printed."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no")


class Masked(dict[str, str]):
    """A dict that shows less than it holds."""

    def items(self) -> Any:
        return [(key, "***") for key in self]


@dataclasses.dataclass
class Account:
    user: str
    password: str = dataclasses.field(repr=False)


@attrs.frozen
class Login:
    user: str
    password: str = attrs.field(repr=False)


def cycle() -> list[Any]:
    """Return a list that contains itself."""
    items: list[Any] = [1]
    items.append(items)
    return items


def deep() -> list[Any]:
    """Return lists in lists, deeper than Python can follow."""
    items: list[Any] = []
    for _ in range(100_000):
        items = [items]
    return items


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        ("é\n", "é\n"),
        ([1, "a"], [1, "a"]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
        (dt.timedelta(milliseconds=1500), 1.5),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC), "2026-01-02T03:00:00+00:00"),
        (dt.time(3, 4), "03:04:00"),
        (
            dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(seconds=3208))),
            "2026-01-02T03:00:00+00:53:28",
        ),
        (Masked(password="hunter2"), {"password": "***"}),
        (Colour.RED, "red"),
        (Count.TWO, 2),
        ({3}, [3]),
        (ValueError("bad"), "ValueError: bad"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("/etc"), "/etc"),
        (decimal.Decimal("1.10"), "1.10"),
        (b"\xff", "b'\\xff'"),
        (Secret("hunter2"), "***"),
        (Login("ann", "hunter2"), "Login(user='ann')"),
        (Account("ann", "hunter2"), "Account(user='ann')"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ({"a": float("inf"), "n": None, "t": dt.timedelta(1)}, {"a": "inf", "n": None, "t": 86400}),
        ({(1, 2): "x", float("nan"): 1}, {"(1, 2)": "x", "nan": 1}),
        ((float("nan"), 1.5, {2}), ["nan", 1.5, [2]]),
        ("\ud800", "\ud800"),
        (10**400, 10**400),
        ([10**5000, 7], [hex(10**5000), 7]),
        (Broken(), "<unprintable Broken>"),
        (BrokenMapping(), "BrokenMapping"),
        ([BrokenMapping(), float("nan")], ["BrokenMapping", "nan"]),
        ([Text("x"), float("nan")], ["x", "nan"]),
        (cycle(), [1, "[1, [...]]"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value(value: object, expected: object, encoder: Encode) -> None:
    """Each kind of value becomes what a reader of logs expects, and never raises."""
    text = encoder({"field": value})

    assert json.loads(text) == {"field": expected}


def test_deep_nesting(encoder: Encode) -> None:
    """A value nested deeper than Python can follow still gives a valid line."""
    assert json.loads(encoder({"field": deep()}))["field"]


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_one_line(end: str, encoder: Encode) -> None:
    """Whatever some reader takes for the end of a line is escaped."""
    text = encoder({f"a{end}b": f"c{end}d", "list": [end]})

    assert len(text.splitlines()) == 1


def test_longest_number() -> None:
    """An integer of 1024 bits is a number; a longer one is hexadecimal text."""
    longest = 2**1024 - 1

    assert json.loads(encode({"n": longest, "m": float("nan")}))["n"] == longest
    assert json.loads(encode({"n": longest + 1, "m": float("nan")}))["n"] == hex(longest + 1)


def test_deepest_value() -> None:
    """Sixteen levels of nesting are kept; what lies deeper is printed as text."""
    value: object = float("nan")
    for _ in range(17):
        value = [value]
    plain = json.loads(encode(value))
    for _ in range(16):
        (plain,) = plain

    assert plain == "[nan]"


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes()
    | st.uuids()
    | st.sampled_from([*Colour, *Count, Login("ann", "hunter2"), Account("ann", "hunter2")])
)


@given(
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text() | st.integers(), inner)
        ),
    )
)
def test_encoders_agree(value: object) -> None:
    """Whether orjson is installed changes how long a line takes, and nothing in it."""
    pytest.importorskip("orjson")
    text = find_encode()({"field": value})

    assert text.isascii()
    assert json.loads(text) == json.loads(encode({"field": value}))


def test_without_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the fast extra is not installed, the standard library encodes."""
    monkeypatch.setitem(sys.modules, "orjson", None)

    assert find_encode() is encode


def test_with_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain line is encoded by orjson alone: the standard library is not asked."""
    pytest.importorskip("orjson")
    monkeypatch.setattr(values, "_encoder", None)

    assert find_encode()({"field": [1, "x", {"y": 0.5}]}) == '{"field":[1,"x",{"y":0.5}]}'
