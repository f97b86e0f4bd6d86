"""TableProto: rows as protocol buffers, for every type of BigQuery."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest
from google.cloud.bigquery import SchemaField

from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._rows.row import prepare
from msp_bigquery._storage.proto_values import UnfitValueError
from msp_bigquery._storage.table_proto import TableProto

CET = dt.timezone(dt.timedelta(hours=1))
MOMENT = dt.datetime(1970, 1, 1, 1, 0, 1, 5, tzinfo=CET)
LOCAL = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - a DATETIME has no zone


class Raw(bytes):
    __slots__ = ()


class Text(str):
    __slots__ = ()


def decoded(schema: list[SchemaField], row: Any) -> Any:
    """Return what the other side reads."""
    proto = TableProto.of(schema)
    (prepared,) = prepare([row], PlainRow.of, None)
    message: Any = proto.message
    return message.FromString(proto.encode(prepared.values))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("STRING", "ä", "ä"),
        ("BYTES", b"\xff", b"\xff"),
        ("BYTES", "/w==", b"\xff"),
        ("BYTES", Raw(b"\xff"), b"\xff"),
        ("STRING", Text("ä"), "ä"),
        ("INTEGER", 2**63 - 1, 2**63 - 1),
        ("INT64", "7", 7),
        ("INT64", 7.0, 7),
        ("FLOAT", 1, 1.0),
        ("FLOAT64", "1.5", 1.5),
        ("BOOLEAN", True, True),
        ("BOOL", "False", False),
        ("NUMERIC", Decimal("0.10"), "0.10"),
        ("NUMERIC", 0.1, "0.1"),
        ("BIGNUMERIC", 7, "7"),
        ("BIGNUMERIC", "7.5", "7.5"),
        ("TIMESTAMP", MOMENT, 1_000_005),
        ("TIMESTAMP", MOMENT.replace(tzinfo=None), 3_601_000_005),
        ("TIMESTAMP", "1970-01-01T00:00:01Z", 1_000_000),
        ("TIMESTAMP", 1.5, 1_500_000),
        ("TIMESTAMP", -1, -1_000_000),
        ("DATETIME", LOCAL, "2026-01-02 03:04:05"),
        ("DATETIME", "2026-01-02T03:04:05", "2026-01-02 03:04:05"),
        ("DATE", dt.date(1970, 1, 2), 1),
        ("DATE", "1969-12-31", -1),
        ("TIME", dt.time(3, 4, 5, 6), "03:04:05.000006"),
        ("TIME", "03:04", "03:04:00"),
        ("GEOGRAPHY", "POINT(1 2)", "POINT(1 2)"),
        ("INTERVAL", "1-2 3 4:5:6", "1-2 3 4:5:6"),
        ("JSON", '{"a":1}', '{"a":1}'),
    ],
)
def test_encodes_every_type(kind: str, value: object, expected: object) -> None:
    """A value takes the form that the Storage Write API wants for the column's type."""
    schema = [SchemaField("Col", kind), SchemaField("All", kind, mode="REPEATED")]
    message = decoded(schema, {"col": value, "all": [value, value]})

    assert message.Col == expected
    assert list(message.All) == [expected] * 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("STRING", 7),
        ("BYTES", 7),
        ("BYTES", "hunter2"),
        ("INTEGER", True),
        ("INTEGER", b"7"),
        ("INTEGER", 1.5),
        ("INTEGER", math.inf),
        ("INTEGER", "hunter2"),
        ("INTEGER", dt.date(2026, 1, 1)),
        ("FLOAT", True),
        ("FLOAT", "hunter2"),
        ("BOOLEAN", "hunter2"),
        ("BOOLEAN", 1),
        ("NUMERIC", True),
        ("NUMERIC", "hunter2"),
        ("NUMERIC", math.nan),
        ("TIMESTAMP", True),
        ("TIMESTAMP", "hunter2"),
        ("TIMESTAMP", 10**12),
        ("TIMESTAMP", math.nan),
        ("TIMESTAMP", "0001-01-01T00:00:00+01:00"),
        ("TIMESTAMP", dt.date(2026, 1, 1)),
        ("DATETIME", MOMENT),
        ("DATETIME", dt.date(2026, 1, 1)),
        ("DATE", LOCAL),
        ("DATE", 7),
        ("TIME", dt.time(1, tzinfo=CET)),
        ("TIME", 7),
        ("JSON", {"a": "hunter2"}),
    ],
)
def test_refuses_what_does_not_fit_without_showing_it(kind: str, value: object) -> None:
    """The reason names the type that was expected and the column."""
    with pytest.raises(UnfitValueError) as caught:
        decoded([SchemaField("col", kind)], {"col": value})

    assert str(caught.value) == f"expected {kind} (column 'col')"
    assert caught.value.__suppress_context__


def test_encodes_nested_and_repeated_columns() -> None:
    """Records of records, lists of records, and NULL by leaving a field out."""
    inner = SchemaField("inner", "STRUCT", fields=[SchemaField("n", "INT64", mode="REPEATED")])
    schema = [
        SchemaField("one", "RECORD", fields=[inner, SchemaField("s", "STRING")]),
        SchemaField("many", "RECORD", mode="REPEATED", fields=[SchemaField("n", "INT64")]),
        SchemaField("none", "STRING"),
    ]
    row = {"one": {"inner": {"n": [1, 2]}, "s": None}, "many": [{"n": 3}, {"n": 4}], "none": None}
    message = decoded(schema, row)

    assert list(message.one.inner.n) == [1, 2]
    assert [record.n for record in message.many] == [3, 4]
    assert not message.HasField("none")
    assert not message.one.HasField("s")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"one": "hunter2"}, "expected a record (column 'one')"),
        ({"one": {"n": "hunter2"}}, "expected INT64 (column 'one.n')"),
        ({"one": {"m": 1}}, "no such column (column 'one.m')"),
        ({"many": "hunter2"}, "expected a list (column 'many')"),
        ({"many": [None]}, "expected INT64 (column 'many')"),
        ({"one": {"n": 2**63}}, "a number is out of range (column 'one')"),
        ({"many": [1], "one": {"n": 2**63}}, "a number is out of range (column 'one')"),
        ({"many": [1], "MANY": [1, 2**63]}, "a number is out of range (column 'many')"),
        ({"née": 1}, "no such column (column 'née')"),
        ({"range": "x"}, "no such column (column 'range')"),
    ],
)
def test_names_the_path_of_what_does_not_fit(row: dict[str, Any], said: str) -> None:
    """Columns that no proto field can stand for are as if they were not there."""
    schema = [
        SchemaField("one", "RECORD", fields=[SchemaField("n", "INT64")]),
        SchemaField("many", "INT64", mode="REPEATED"),
        SchemaField("née", "INT64"),
        SchemaField("range", "RANGE", range_element_type="DATE"),
    ]
    with pytest.raises(UnfitValueError) as caught:
        decoded(schema, row)

    assert str(caught.value) == said
