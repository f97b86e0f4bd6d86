"""JSON as text: the same by both libraries, for whatever JSON can express."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import re
import sys
import uuid
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msp_bigquery import JSON
from msp_bigquery._rows import json_text
from msp_bigquery._rows.json_row import JSONRow


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Real(float):
    __slots__ = ()


def endless() -> list[Any]:
    """Return a list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


def by_both(value: Any) -> list[bytes]:
    """Return a row as JSON, by each library."""
    found = [JSONRow.of(value, None).text]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "orjson", None)
        json_text._load_orjson.cache_clear()
        found.append(JSONRow.of(value, None).text)
    json_text._load_orjson.cache_clear()
    return found


def test_which_library_is_used(json_library: str) -> None:
    """That of `msp-core[fast]` where it is installed."""
    found = json_text._load_orjson()

    assert ("orjson" if found else "json") == json_library


@pytest.mark.usefixtures("json_library")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([None, 1.5, -0.0, 1e300, True], "[null,1.5,-0.0,1e+300,true]"),
        ({"ä": '"\\\n€😀'}, '{"ä":"\\"\\\\\\n€😀"}'),
        ({1: {None: (2,)}}, '{"1":{"null":[2]}}'),
        ([2**64, -(2**63)], "[18446744073709551616,-9223372036854775808]"),
        ([Colour.RED, Level.HIGH, uuid.UUID(int=7)], f'["red",3,"{uuid.UUID(int=7)}"]'),
        ([Real(1.5)], "[1.5]"),
        ([[[]] * 2] * 2, "[[[],[]],[[],[]]]"),
    ],
)
def test_says_what_json_can_express(value: object, text: str) -> None:
    """As `json.dumps` does, with every digit, and no more bytes than it needs."""
    assert JSON(value).text() == text


@pytest.mark.usefixtures("json_library")
@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [None, {"a": -math.inf}],
        {"a": {1, 2}},
        [dt.datetime(2026, 1, 2, tzinfo=dt.UTC)],
        [dt.date(2026, 1, 2)],
        attrs.make_class("Point", ["x"])(1),
        b"",
        endless(),
        ["\ud800"],
        {"\udfff": 1},
        {(1, 2): 3},
    ],
    ids=lambda value: type(value).__name__,
)
def test_refuses_what_json_cannot_express(value: object) -> None:
    """Whichever library is there: a laptop must not take what production refuses."""
    with pytest.raises((TypeError, ValueError)):
        JSON(value).text()


_json: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_column: Any = st.one_of(
    _json,
    _json.map(JSON),
    st.floats(),
    st.decimals(),
    st.binary(),
    st.uuids(),
    st.sampled_from([Colour.RED, Level.HIGH, Real(math.inf), Real(0.5)]),
    st.datetimes(),
    st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.timezones()),  # noqa: DTZ001 - as hypothesis wants it
    st.dates(),
    st.times(),
    st.times(timezones=st.just(dt.UTC)),
)


# The one thing that the two write differently: 1e-07 and 1e-7 are the same number of JSON.
_ZERO_OF_AN_EXPONENT = re.compile(r"(?<=\de[+-])0(?=\d)")


@given(st.dictionaries(st.text(min_size=1), _column, max_size=4))
@example({"tiny": JSON(1.192092896e-07)})
def test_both_libraries_write_the_same(row: dict[str, Any]) -> None:
    """What is in a table does not depend on an extra."""
    fast, slow = (_ZERO_OF_AN_EXPONENT.sub("", repr(json.loads(text))) for text in by_both(row))

    assert fast == slow
