"""EncodedRow: the bytes of a row, and the way back to its values."""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from decimal import Decimal
from typing import Any

import attrs
import pytest
from google.cloud.bigquery import SchemaField
from google.cloud.bigquery_storage_v1 import types

from msp_bigquery import JSON
from msp_bigquery._rows.plain_row import PlainRow
from msp_bigquery._storage.encoded_row import EncodedRow
from msp_bigquery._storage.table_proto import TableProto

END = dt.datetime.max.replace(tzinfo=dt.UTC)
CET = dt.timezone(dt.timedelta(hours=1))
PST = dt.timezone(dt.timedelta(hours=-8))
INNER = [SchemaField("n", "INTEGER"), SchemaField("day", "DATE", mode="REPEATED")]


class Colour(enum.Enum):
    RED = "red"


class Switch(enum.Enum):
    ON = True


@attrs.frozen
class Inner:
    n: int
    day: tuple[dt.date, ...] = ()


@pytest.mark.parametrize(
    ("kind", "value", "plain"),
    [
        ("STRING", "ä", "ä"),
        ("STRING", Colour.RED, "red"),
        ("STRING", uuid.UUID(int=7), str(uuid.UUID(int=7))),
        ("BYTES", bytearray(b"\xff"), b"\xff"),
        ("INTEGER", -(2**63), -(2**63)),
        ("FLOAT", 0.1, 0.1),
        ("BOOLEAN", False, False),
        ("BOOLEAN", Switch.ON, True),
        ("NUMERIC", Decimal("0.10"), Decimal("0.10")),
        ("TIMESTAMP", dt.datetime(1, 1, 1, 1, tzinfo=CET), dt.datetime(1, 1, 1, tzinfo=dt.UTC)),
        ("TIMESTAMP", END, END),
        ("DATETIME", dt.datetime(2026, 1, 2, 3, 4, 5, 6), dt.datetime(2026, 1, 2, 3, 4, 5, 6)),  # noqa: DTZ001 - a DATETIME
        ("DATE", dt.date(1, 1, 1), dt.date(1, 1, 1)),
        ("TIME", dt.time(3, 4, 5, 10_203), dt.time(3, 4, 5, 10_203)),
        ("JSON", JSON({"a": None}), '{"a":null}'),
    ],
)
def test_gives_back_what_was_written(kind: str, value: object, plain: object) -> None:
    """Alone, in lists and in records; NULL is what is not there."""
    column, columns = SchemaField("c", kind), SchemaField("all", kind, mode="REPEATED")
    record = SchemaField("r", "RECORD", fields=[column])
    proto = TableProto.of([column, columns, record, SchemaField("null", "STRING")])
    row = EncodedRow.of({"c": value, "all": [value], "r": {"c": value}, "null": None}, "x", proto)
    assert row

    assert row.values == {"c": plain, "all": [plain], "r": {"c": plain}}
    assert type(row.values["c"]) is type(plain)
    assert proto.encode(row.values) == row.data


def test_reads_instances() -> None:
    """Those of attrs classes, in records and lists as well."""
    fields = [SchemaField("one", "RECORD", fields=INNER)]
    fields.append(SchemaField("many", "RECORD", mode="REPEATED", fields=INNER))
    row = EncodedRow.of(
        {"one": Inner(1, (dt.date.min,)), "many": (Inner(2), {"n": 3})}, None, TableProto.of(fields)
    )
    assert row

    assert row.values == {
        "one": {"n": 1, "day": [dt.date.min]},
        "many": [{"n": 2, "day": []}, {"n": 3, "day": []}],
    }


@pytest.mark.parametrize(
    "values",
    [
        {"m": 1},
        {"n": "x"},
        {"n": {1}},
        {"n": 2**63},
        {"day": ["\ud800"]},
        {"at": dt.datetime.min.replace(tzinfo=CET)},
        {"at": dt.datetime.max.replace(tzinfo=PST)},
        {"data": JSON([math.nan])},
        {"price": Decimal("NaN")},
    ],
    ids=["unknown", "text", "set", "large", "surrogate", "early", "late", "json", "price"],
)
def test_leaves_alone_what_does_not_fit(values: dict[str, Any]) -> None:
    """The schema may have changed, and who asks for it again is who sends."""
    kinds = {"at": "TIMESTAMP", "data": "JSON", "price": "NUMERIC"}
    schema = [*INNER, *(SchemaField(name, kind) for name, kind in kinds.items())]

    assert EncodedRow.of(values, None, TableProto.of(schema)) is None


@pytest.mark.parametrize("size", [0, 100, 10_000, 1_000_000])
def test_weighs_what_is_sent(size: int) -> None:
    """Never less, and at most what a length takes more; less than without the schema."""
    values = {"c": "x" * size}
    proto = TableProto.of([SchemaField("c", "STRING")])
    row, plain = EncodedRow.of(values, None, proto), PlainRow.of(values, None)
    assert row
    request = types.AppendRowsRequest.pb(types.AppendRowsRequest())
    request.proto_rows.rows.serialized_rows.extend([row.data] * 100)
    sent = request.proto_rows.rows.ByteSize() / 100

    assert sent <= row.weight <= sent + 4
    assert row.weight <= plain.weight


def test_shows_no_values_in_its_repr() -> None:
    """Rows may be in locals of a traceback."""
    row = EncodedRow.of({"c": "hunter2"}, None, TableProto.of([SchemaField("c", "STRING")]))

    assert "hunter2" not in repr(row)
