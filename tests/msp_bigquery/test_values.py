"""Rows of Python as plain values, and those as JSON: nothing lost, nothing shown in errors."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import types
import uuid
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_bigquery import JSON, Row, RowValueError, SavesRow
from msp_bigquery._rows.insert_ids import InsertIds
from msp_bigquery._rows.json_row import JSONRow
from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._rows.row import Form, prepare
from msp_bigquery._rows.values import RowConverter
from tests.forked import in_child


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Word(enum.StrEnum):
    YES = "yes"


class Whole(int):
    __slots__ = ()


class Text(str):
    __slots__ = ()


@attrs.frozen
class Address:
    city: str
    _zip: int | None = None


@attrs.define
class Person:
    name: str
    home: Address
    others: list[Address] = attrs.field(factory=list)


ItemT = TypeVar("ItemT")


@attrs.frozen
class Box(Generic[ItemT]):
    item: ItemT
    inner: Box[ItemT] | None = None


@attrs.frozen
class Reserved:
    """Named as what a library might call its own parameters."""

    made: int = attrs.field(init=False, default=6)
    cl: int = 1
    converter: int = 2
    attrs: int = 3
    instance: int = 4
    res: int = 5


@dataclasses.dataclass
class NotAttrs:
    key: str = "hunter2"


@attrs.frozen
class Known:
    key: str
    n: int = 0

    def bigquery_row(self) -> Row:
        """Return the row with its key as insert id."""
        return Row(self, insert_id=self.key)


PLAIN = RowConverter()
CET = dt.timezone(dt.timedelta(hours=1))
PST = dt.timezone(dt.timedelta(hours=-8))
ID = uuid.UUID(int=7)


@pytest.mark.usefixtures("json_library")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (1 - 2**53, 1 - 2**53),
        (-(2**53), "-9007199254740992"),
        (-(2**63), "-9223372036854775808"),
        (1.5, 1.5),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ("ä", "ä"),
        (Text("x"), "x"),
        (b"\x00\xff", "AP8="),
        (bytearray(b"a"), "YQ=="),
        (memoryview(b"a"), "YQ=="),
        (decimal.Decimal("0.10"), "0.10"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=CET), "2026-01-02T02:04:05.000006Z"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),  # noqa: DTZ001 - a DATETIME
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(3, 4, 5), "03:04:05"),
        (dt.time(3, 4, 5, 10_203), "03:04:05.010203"),
        (ID, str(ID)),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Word.YES, "yes"),
        ((1, [2]), [1, [2]]),
        ({"a": {"b": b""}}, {"a": {"b": ""}}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (Address("Oslo", 150), {"city": "Oslo", "zip": 150}),
        (JSON({"a": [None, "ä"]}), '{"a":[null,"ä"]}'),
        (JSON(None), "null"),
    ],
)
def test_turns_values_into_what_bigquery_parses(value: object, expected: object) -> None:
    """Each type has one form, which keeps every digit."""
    converted = JSONRow.of({"c": value}, None).values["c"]

    assert converted == expected
    assert type(converted) is type(expected)


def test_turns_instances_into_rows() -> None:
    """Nested and repeated records come from nested instances, NULL from None."""
    person = Person("ada", Address("Oslo"), [Address("Rome", 1)])

    assert PLAIN.convert(person) == {
        "name": "ada",
        "home": {"city": "Oslo", "zip": None},
        "others": [{"city": "Rome", "zip": 1}],
    }


def test_texts_and_bytes_are_exact() -> None:
    """A derived type may be anything else as well, and keep what it is made of alive."""
    row = PLAIN.convert({"a": Text("x"), "b": [Word.YES, bytearray(b"x")], "c": Whole(7)})

    assert row == {"a": "x", "b": ["yes", b"x"], "c": 7}
    assert [type(one) for one in (row["a"], row["b"][0], row["b"][1])] == [str, str, bytes]


def test_a_row_is_taken_as_it_is() -> None:
    """What its owner does with it later is not written."""
    tags, row = ["a"], {"n": 1}
    prepared = [form({"row": row, "tags": tags}, None) for form in (JSONRow.of, PlainRow.of)]
    tags.append("b")
    row.clear()

    assert [one.values for one in prepared] == [{"row": {"n": 1}, "tags": ["a"]}] * 2


def test_a_value_counts_and_not_its_annotation() -> None:
    """A field may hold what it does not say, and a class may be generic, or hold itself."""
    home: Any = decimal.Decimal(1)

    assert PLAIN.convert(Person("ada", home)) == {"name": "ada", "home": home, "others": []}
    assert PLAIN.convert(Box[Any](ID, Box[Any](Colour.RED))) == {
        "item": str(ID),
        "inner": {"item": "red", "inner": None},
    }


def test_fields_may_have_any_name() -> None:
    """Each is a column in order, those that are not given too."""
    assert list(PLAIN.convert(Reserved()).items()) == [
        ("made", 6),
        ("cl", 1),
        ("converter", 2),
        ("attrs", 3),
        ("instance", 4),
        ("res", 5),
    ]


@pytest.mark.usefixtures("json_library")
@pytest.mark.parametrize("form", [JSONRow.of, PlainRow.of], ids=["streaming", "storage"])
@pytest.mark.parametrize(
    ("row", "said"),
    [
        (JSON({"a": "hunter2"}), "row 1: a row is a JSON: expected an attrs instance or a mapping"),
        (
            Box({"a": Box([{"hunter2"}])}),
            "row 1: column 'item.a.item' is a set, for which BigQuery",
        ),
        (
            {"a": Path("hunter2")},
            "row 1: column 'a' is a PosixPath, for which BigQuery has no",
        ),
        ({"a": NotAttrs()}, "row 1: column 'a' is a NotAttrs, for which BigQuery has no type"),
        (Address("Oslo", {"hunter2"}), "row 1: column 'zip' is a set, for which BigQuery has no"),  # type: ignore[arg-type]
        ({1: {2: object()}}, "row 1: column '1.2' is a object, for which BigQuery has no type"),
        ("hunter2", "row 1: a row is a str: expected an attrs instance or a mapping"),
        ({"a": {"b": [{"hunter2"}]}}, "row 1: column 'a.b' is a set, for which BigQuery has no"),
        ({"a": JSON({"hunter2"})}, "row 1: column 'a' holds what JSON cannot express"),
        ({"a": JSON(math.nan)}, "row 1: column 'a' holds what JSON cannot express"),
        (Row({}, insert_id="hunter2" * 20), "row 1: the insert id is longer than 128 characters"),
    ],
)
def test_names_what_does_not_fit_and_shows_no_value(row: object, said: str, form: Form) -> None:
    """The error leads to row and column; what was in it stays where it was."""
    with pytest.raises(RowValueError) as caught:
        prepare([row], form, None)

    assert str(caught.value).startswith(said)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.usefixtures("json_library")
@pytest.mark.parametrize("form", [JSONRow.of, PlainRow.of], ids=["streaming", "storage"])
@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Box(dt.datetime.min.replace(tzinfo=CET)), "column 'item' is outside of the years 1 to"),
        ({"a": [dt.datetime.max.replace(tzinfo=PST)]}, "column 'a' is outside of the years 1 to"),
        ({"b": 1, "a": {"c": "hunter2\ud800"}}, "column 'a' holds a lone surrogate"),
        ({"a": {"b": JSON(["hunter2\ud800"])}}, "column 'a.b' holds a lone surrogate"),
    ],
)
def test_a_value_that_no_column_could_hold_refuses_its_row_alone(
    row: object, said: str, form: Form
) -> None:
    """It is data, no mistake in the program: the others are not to blame."""
    good, bad = prepare([{"n": 1}, Row(row, insert_id="x")], form, None)

    assert (good.unfit, good.values) == (None, {"n": 1})
    assert (bad.unfit or "").startswith(said)
    assert (bad.insert_id, bad.weight) == ("x", 0)
    assert bad.values == RowConverter().read(row)
    assert "hunter2" not in f"{bad.unfit}{bad!r}"


@pytest.mark.usefixtures("json_library")
def test_an_insert_id_is_text() -> None:
    """BigQuery would refuse all rows of its request."""
    _, bad = prepare([{}, Row({"a": "b"}, insert_id="\ud800")], JSONRow.of, None)

    assert bad.unfit == "the insert id holds a lone surrogate, which no text has"


def test_a_row_may_say_its_own_id() -> None:
    """By a method of its class, or wrapped in a Row; an empty id is none."""
    rows = [Known("k1"), Row({"n": 1}, "k2"), Row({"n": 1}, ""), {"n": 1}]

    assert isinstance(rows[0], SavesRow)
    assert [row.insert_id for row in prepare(rows, JSONRow.of, None)] == ["k1", "k2", None, None]
    assert prepare(rows, JSONRow.of, None)[0].values == {"key": "k1", "n": 0}


def test_ids_made_on_request_differ() -> None:
    """Two rows with one id would be one row."""
    ids = {row.insert_id for row in prepare([{}] * 1000, JSONRow.of, InsertIds())}

    assert len(ids) == 1000
    assert None not in ids


def test_ids_of_processes_differ() -> None:
    """Also those of a fork, which starts with what its parent had counted."""
    ids = InsertIds()
    parents = [next(ids.make()) for _ in range(2)]

    def make() -> None:
        child = next(ids.make())
        assert child.rpartition("-")[0] != parents[0].rpartition("-")[0]

    in_child(make)

    (prefix,) = {one.rpartition("-")[0] for one in parents}
    assert len(prefix) == 16  # 96 random bits
    assert next(InsertIds().make()) not in parents


def test_shows_no_values_in_reprs() -> None:
    """Rows may be in locals of a traceback."""
    row = Row({"a": "hunter2"}, insert_id="hunter2")

    assert "hunter2" not in repr(row)
    assert "hunter2" not in repr(prepare([row], JSONRow.of, None))
    assert "hunter2" not in repr(JSON("hunter2"))


_scalars: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("a~ä€😀"),
    st.binary(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.dates(),
    st.times(),
)


@given(st.dictionaries(st.text("abc", min_size=1), _scalars | st.lists(_scalars)))
def test_weighs_what_is_sent(values: dict[str, Any]) -> None:
    """Requests stay below BigQuery's limit, which counts bytes: exactly, or by a little more."""
    row = JSONRow.of(values, "id")

    assert row.weight == len(row.text) + len(",")
    assert json.loads(row.text) == {"insertId": "id", "json": row.values}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", 32 + 3),
        ("ä€😀", 32 + 2 + 3 + 4),
        (Text("abc"), 32 + 3),
        (b"abc", 32 + 3),
        (2**63 - 1, 32),
        (dt.datetime.max.replace(tzinfo=dt.UTC), 32),
        (["abc", "de"], 32 + 32 + 3 + 32 + 2),
        ({"a": "abc", "b": [1]}, 32 + 32 + 3 + 32 + 32),
        (Address("Oslo"), 32 + 32 + 4 + 32),
    ],
)
def test_weighs_little_more_than_is_appended(value: object, expected: int) -> None:
    """What a row takes as protocol buffers is known with the schema; texts are what is large."""
    assert PlainRow.of({"c": value}, "an id is not appended").weight == expected
