"""The contract's parsers against the verdicts of Go's own."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from msp_core.config._go import parse_bool, parse_duration, parse_float, parse_int

Vector = dict[str, Any]

FILE = Path(__file__).parents[2] / "data" / "go-parsers.jsonl"
VECTORS: list[Vector] = [
    json.loads(line) for line in FILE.read_text(encoding="utf-8").strip().split("\n")
]


def float_bits(value: float) -> str:
    """Return a float as the vectors write it."""
    return "nan" if math.isnan(value) else struct.pack(">d", value).hex()


def verdict(parse: Callable[[str], Any], text: str) -> Any:
    """Return what a parser makes of a text; None when it refuses."""
    try:
        return parse(text)
    except ValueError:
        return None


def of_kind(kind: str) -> list[Vector]:
    """Return the vectors of one kind."""
    return [vector for vector in VECTORS if vector["kind"] == kind]


def test_every_vector_is_used() -> None:
    """A vector of a new kind, or a truncated file, does not go unnoticed."""
    kinds = {vector["kind"] for vector in VECTORS}

    assert len(VECTORS) == 4166
    assert kinds == {"bool", "int", "float", "duration"}


@pytest.mark.parametrize(
    ("kind", "parse", "write"),
    [
        pytest.param("bool", parse_bool, lambda value: str(value).lower(), id="bool"),
        pytest.param("int", parse_int, str, id="int"),
        pytest.param("float", parse_float, float_bits, id="float"),
        pytest.param("duration", parse_duration, lambda seconds: seconds, id="duration"),
    ],
)
def test_parser_agrees_with_go(
    kind: str, parse: Callable[[str], Any], write: Callable[[Any], Any]
) -> None:
    """A variable means the same to a Python service and to a Go one."""
    differences = []
    for vector in of_kind(kind):
        value = verdict(parse, vector["in"])
        ours = None if value is None else write(value)
        theirs = vector.get("out")
        if kind == "duration" and theirs is not None:
            theirs = int(theirs) / 1e9
        if ours != theirs:
            differences.append((vector, ours))

    assert differences == []


@pytest.mark.parametrize("parse", [parse_bool, parse_int, parse_float, parse_duration])
@pytest.mark.parametrize(
    "text", ["hunter2", "1" * 5000 + "x", "9" * 400 + "h", "1e999", "0x1p9999"]
)
def test_refusal_does_not_hold_the_text(parse: Callable[[str], Any], text: str) -> None:
    """What a parser says, and what caused it, can be shown."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its text must say nothing
        parse(text)

    assert text not in str(refused.value)
    assert refused.value.__context__ is None


def test_integer_of_many_leading_zeros_is_read() -> None:
    """Python's limit on the digits of an int does not make us stricter than Go."""
    assert parse_int("-" + "0" * 5000 + "7") == -7


def test_duration_of_a_very_long_fraction_is_read() -> None:
    """Digits beyond what Go keeps are read over, as Go does."""
    assert parse_duration("0." + "3" * 5000 + "s") == pytest.approx(1 / 3)


def test_duration_of_too_many_digits_is_refused() -> None:
    """Python's unlimited integers do not make us laxer than Go."""
    with pytest.raises(ValueError, match="64 bits"):
        parse_duration("1" * 5000 + "ns")
