"""docs/parity.md: every feature of the Go runtime, once, with tests that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import attrs
import pytest

from tests.documentation import ROOT

PAGE = ROOT / "docs" / "parity.md"
HEADER = ["row", "feature", "deviation from Go, and why", "shown by"]
FEATURES = [f"F{number:02}" for number in range(1, 103)]
NOT_YET = "not yet"
NONE = "none"


@attrs.frozen
class Row:
    """One row of the table.

    Attributes:
        number: of the feature, `F01`.
        feature: what a service can do.
        deviation: how that differs from Go, and why; `none` when it does not. Of a feature that is
            not there: why.
        shown: the tests, in backticks, separated by commas; or `not yet`.
    """

    number: str
    feature: str
    deviation: str
    shown: str

    @property
    def tests(self) -> list[str]:
        """Return the tests: `msp_x/test_y.py::TestZ::test_it`."""
        return [test.strip("`") for test in self.shown.split(", ")]


def lines() -> list[list[str]]:
    """Return the cells of each line of the page's tables."""
    text = PAGE.read_text()
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]


LINES = lines()
ROWS = [Row(*cells) for cells in LINES if len(cells) == 4 and cells[0].startswith("F")]


@cache
def defined(file: str) -> frozenset[str]:
    """Return the tests that pytest finds in a file: `test_it`, `TestZ::test_it`."""
    path = ROOT / "tests" / file
    return frozenset(qualified(ast.parse(path.read_text()))) if path.is_file() else frozenset()


def qualified(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield the tests of a module or class, below its own name."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}::{name}" for name in qualified(node))
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, functions) and node.name.startswith("test_"):
            yield node.name


def test_every_feature_is_there_once() -> None:
    """No feature is left out, told twice, or hidden behind another one."""
    assert [row.number for row in ROWS] == FEATURES


def test_tables_have_their_columns() -> None:
    """A line that is no row of four cells would be read by people, and by no check."""
    ruler = ["---"] * len(HEADER)
    rows = [[row.number, row.feature, row.deviation, row.shown] for row in ROWS]

    assert [cells for cells in LINES if cells not in (HEADER, ruler)] == rows
    assert LINES.count(HEADER) == LINES.count(ruler) > 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_row_is_whole(row: Row) -> None:
    """Each feature is named, and so is its deviation, or that there is none."""
    assert row.feature
    assert row.deviation
    assert row.deviation == NONE or not row.deviation.startswith(f"{NONE} ")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_row_is_shown(row: Row) -> None:
    """What is claimed has tests that are there; what is not there yet has a reason."""
    if row.shown == NOT_YET:
        assert row.deviation != NONE
        return
    for test in row.tests:
        file, _, name = test.partition("::")

        assert name in defined(file), test
    assert row.shown == ", ".join(f"`{test}`" for test in dict.fromkeys(row.tests))
