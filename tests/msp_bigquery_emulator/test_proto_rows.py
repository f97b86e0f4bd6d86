"""Rows in messages: every type, every way to write it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._write_api.proto_rows import ProtoRows
from msp_bigquery_emulator._write_api.write_streams import StreamError
from tests.msp_bigquery_emulator.writing import descriptor, serialized

CLOCK = (3 << 12 | 4 << 6 | 5) << 20 | 6
DAY = (2026 << 9 | 1 << 5 | 2) << 37


def read(field: Field, kind: Any, value: Any) -> tuple[list[Any], dict[int, str]]:
    """Return what becomes of one value, and why it is refused."""
    made = descriptor("Row", {"x": kind})
    good, refused = ProtoRows(made).read((field,), serialized(made, [{"x": value}]))
    return [row["x"] for row in good], refused


@pytest.mark.parametrize(
    ("type_", "kind", "value", "stored"),
    [
        ("STRING", "string", "é", "é"),
        ("BYTES", "bytes", b"\xff", "/w=="),
        ("BYTES", "string", "a", "YQ=="),
        ("INTEGER", "int64", -5, -5),
        ("INTEGER", "uint32", 5, 5),
        ("INTEGER", "string", "5", 5),
        ("FLOAT", "double", 0.5, 0.5),
        ("FLOAT", "double", -math.inf, "-inf"),
        ("FLOAT", "int32", 5, 5),
        ("BOOLEAN", "bool", True, True),
        ("NUMERIC", "string", "1.5", "1.500000000"),
        ("NUMERIC", "double", 1.5, "1.500000000"),
        ("NUMERIC", "bytes", (-1_500_000_000).to_bytes(16, "little", signed=True), "-1.500000000"),
        ("BIGNUMERIC", "bytes", (5 * 10**38).to_bytes(32, "little"), "5.000000000000000000"),
        ("TIMESTAMP", "int64", 1, 1),
        ("TIMESTAMP", "int64", -62_135_596_800_000_000, -62_135_596_800_000_000),
        ("TIMESTAMP", "int64", 253_402_300_799_999_999, 253_402_300_799_999_999),
        ("TIMESTAMP", "string", "1970-01-01T00:00:01Z", 1_000_000),
        ("DATE", "int32", 1, "1970-01-02"),
        ("DATE", "string", "2026-01-02", "2026-01-02"),
        ("TIME", "int64", CLOCK, "03:04:05.000006"),
        ("TIME", "string", "03:04:05", "03:04:05"),
        ("DATETIME", "int64", DAY | CLOCK, "2026-01-02T03:04:05.000006"),
        ("JSON", "string", "{}", "{}"),
    ],
)
def test_accepted(type_: str, kind: str, value: Any, stored: Any) -> None:
    """A value may be written in each way that the Write API documents."""
    assert read(Field("x", type_), kind, value) == ([stored], {})


@pytest.mark.parametrize(
    ("type_", "kind", "value"),
    [
        ("INTEGER", "uint64", 2**64 - 1),
        ("NUMERIC", "double", math.nan),
        ("NUMERIC", "bytes", (10**39).to_bytes(32, "little")),
        ("TIMESTAMP", "int64", -62_135_596_800_000_001),  # before year 1
        ("TIMESTAMP", "int64", 253_402_300_800_000_000),  # year 10000
        ("DATE", "int64", 10**9),
        ("TIME", "int64", 63 << 32),
        ("DATETIME", "int64", 1),
        ("JSON", "string", "{"),
    ],
)
def test_refused(type_: str, kind: str, value: Any) -> None:
    """A value out of range is the row's error."""
    good, refused = read(Field("x", type_), kind, value)

    assert (good, list(refused)) == ([], [0])
    assert refused[0].startswith("Field x: ")


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        (Field("x", "RECORD", fields=(Field("y", "STRING"),)), "string", "a"),
        (Field("x", "STRING"), "int64", 1),
        (Field("x", "STRING", "REPEATED"), "string", "a"),
    ],
)
def test_mismatch(field: Field, kind: str, value: Any) -> None:
    """A field of another kind than the table's is the schema's error."""
    with pytest.raises(StreamError, match="mismatched with BigQuery field at x"):
        read(field, kind, value)


def test_nested_and_missing() -> None:
    """Messages in messages are records; what is not set is null, or an empty list."""
    inner = (Field("Y", "STRING"), Field("days", "DATE", "REPEATED"), Field("z", "JSON"))
    field = Field("x", "RECORD", "REPEATED", inner)
    kind = [{"y": "string", "days": ["int32"]}]
    good, refused = read(field, kind, [{"y": "a", "days": [0]}, {}])

    assert good == [
        [
            {"Y": "a", "days": ["1970-01-01"], "z": None},
            {"Y": None, "days": [], "z": None},
        ]
    ]
    assert refused == {}
