"""Values on their way in, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.values import (
    Leniency,
    ValueRefusedError,
    row_decoder,
    value_decoder,
)


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("STRING", 1, "1"),
        ("STRING", 1.5, "1.5"),
        ("STRING", True, "true"),
        ("STRING", None, None),
        ("BYTES", "", ""),
        ("INTEGER", "-5", -5),
        ("INTEGER", 5.0, 5),
        ("FLOAT", "1e3", 1000.0),
        ("FLOAT", "-inf", "-Infinity"),
        ("NUMERIC", 1.5, "1.500000000"),
        ("NUMERIC", "0.0000000005", "0.000000001"),
        ("BIGNUMERIC", "1", "1.000000000000000000"),
        ("BOOLEAN", "TRUE", True),
        ("BOOLEAN", 0, False),
        ("TIMESTAMP", "1970-01-01 00:00:01 UTC", 1_000_000),
        ("TIMESTAMP", "1970-01-01T01:00:00+01:00", 0),
        ("TIMESTAMP", "1970-01-02", 86_400_000_000),
        ("TIMESTAMP", "1.5", 1_500_000),
        ("TIMESTAMP", 1700000000.000001, 1_700_000_000_000_001),
        ("DATE", "2026-01-02", "2026-01-02"),
        ("TIME", "01:02:03.5", "01:02:03.500000"),
        ("DATETIME", "2026-01-02 03:04:05", "2026-01-02T03:04:05"),
        ("JSON", '{"é": 1}', '{"é": 1}'),
        ("JSON", 1.5, "1.5"),
    ],
)
def test_accepted(kind: str, given: Any, stored: Any) -> None:
    """Every form that BigQuery takes becomes the one that is stored."""
    assert value_decoder(Field("x", kind))(given) == stored


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("STRING", {}),
        ("STRING", "\ud800"),
        ("BYTES", "é"),
        ("BYTES", "a"),
        ("BYTES", 1),
        ("INTEGER", "a"),
        ("INTEGER", 1.5),
        ("INTEGER", True),
        ("INTEGER", [1]),
        ("INTEGER", 2**63),
        ("INTEGER", float("inf")),
        ("FLOAT", "a"),
        ("FLOAT", True),
        ("FLOAT", 10**400),
        ("NUMERIC", "a"),
        ("NUMERIC", True),
        ("NUMERIC", "NaN"),
        ("NUMERIC", "1e29"),
        ("NUMERIC", "1e99"),
        ("BIGNUMERIC", "1e20"),
        ("BOOLEAN", "maybe"),
        ("TIMESTAMP", "yesterday"),
        ("TIMESTAMP", True),
        ("TIMESTAMP", "1e999"),
        ("TIMESTAMP", {}),
        ("DATE", "2026-13-01"),
        ("DATE", 1),
        ("TIME", "25:00:00"),
        ("TIME", "01:02:03Z"),
        ("DATETIME", "2026-01-02T03:04:05Z"),
        ("JSON", "{"),
        ("JSON", '"\ud800"'),
        ("JSON", {"a": 1}),
        ("JSON", [1]),
    ],
)
def test_refused(kind: str, given: Any) -> None:
    """What BigQuery refuses is refused with a reason that can be printed anywhere."""
    with pytest.raises(ValueRefusedError) as refused:
        value_decoder(Field("x", kind))(given)

    assert refused.value.reason.encode("utf-8")


def test_lists() -> None:
    """A list holds values of its type and no null; null is an empty list."""
    decode = value_decoder(Field("x", "INTEGER", "REPEATED"))
    for wrong in (1, [None], ["a"]):
        with pytest.raises(ValueRefusedError):
            decode(wrong)

    assert (decode(["1", 2]), decode(None)) == ([1, 2], [])


def test_location_of_a_nested_value() -> None:
    """The location leads through the records to the value."""
    inner = Field("Inner", "INTEGER")
    fields = (Field("outer", "RECORD", "NULLABLE", (inner,)),)
    with pytest.raises(ValueRefusedError) as refused:
        row_decoder(fields, Leniency())({"OUTER": {"inner": "x"}})

    assert refused.value.location == "outer.Inner"


def test_json_as_it_is() -> None:
    """A load job's JSON column takes any JSON, text included."""
    decode = row_decoder((Field("j", "JSON"),), Leniency(json_as_is=True))

    assert decode({"j": {"a": [1]}}) == {"j": '{"a": [1]}'}
    assert decode({"j": "text"}) == {"j": '"text"'}
