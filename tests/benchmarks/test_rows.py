"""Every row of the tables is measured, with its targets, and a result is judged by them."""

from __future__ import annotations

import re

import attrs
import pytest

from benchmarks import all_rows, page, records
from benchmarks.growth import Curve, Growth
from benchmarks.result import Result
from benchmarks.row import Better, Contender, Row, Sample
from benchmarks.rows.services import PEERS
from tests.distributions import ROOT

# What must be and what is aimed at, by name of the row.
TARGETS = {
    "cold-start": (1.0, 0.85),
    "import": (1.5, 1.25),
    "memory": (1.1, 1.0),
    "hello": (0.85, 0.95),
    "hello-logged": (1.0, 1.5),
    "hello-traced": (1.5, 2.5),
    "p99": (1.2, 1.1),
    "query": (0.5, 0.3),
    "query-untraced": (1.02, 1.0),
    "log-call": (0.5, 0.25),
    "cold-start-five": (1.0, 0.75),
    "cold-start-four": (1.0, 0.75),
    "queries": (1.3, 2.0),
}
INFORM = {"cold-start-first", "p99-traced", "queries-logged", "queries-traced", "memory-peers"}
SIZES = {
    "growth-distributions": (20, 3000),
    "growth-distributions-first": (20, 3000),
    "growth-plugins": (1, 50),
    "growth-variables": (10, 2000),
    "growth-checks": (1, 200),
    "growth-routines": (1, 1000),
    "growth-connections": (1, 10_000),
}


def make_contender(title: str) -> Contender:
    """Return one that is never opened."""
    return Contender(title=title, opening=lambda _: pytest.fail("nothing is measured here"))


def make_result(better: Better = "less", **values: list[float]) -> Result:
    """Return a result of those values: `ours`, `base`, and references under any other name."""
    series = {title: [Sample(value=one) for one in many] for title, many in values.items()}
    references = [make_contender(title) for title in values if title not in {"ours", "base"}]
    row = Row(
        name="row",
        title="a row",
        against="others",
        unit="ms",
        better=better,
        must=1.0 if better == "less" else 2.0,
        aim=0.5 if better == "less" else 4.0,
        subject=make_contender("ours"),
        references=tuple(references),
        base=make_contender("base") if "base" in values else None,
    )
    return Result(row=row, series=series)


def test_every_row_has_its_targets() -> None:
    """What must be, and what is aimed at, are these and no others."""
    found = {row.name: (row.must, row.aim) for row in all_rows.ROWS}

    assert found == TARGETS | dict.fromkeys(INFORM, (None, None))


def test_every_growth_is_measured_up_to_its_size() -> None:
    """Each curve has four points at least, and may be a straight line but not steeper."""
    found = {one.name: (one.sizes[0], one.sizes[-1]) for one in all_rows.GROWTHS}

    # The descriptors of the process bound the connections.
    assert found | {"growth-connections": SIZES["growth-connections"]} == SIZES
    assert {len(one.sizes) for one in all_rows.GROWTHS} == {4}
    assert all(one.sizes[-1] >= 3 * one.sizes[-2] for one in all_rows.GROWTHS)
    assert {(one.must, one.aim) for one in all_rows.GROWTHS} == {(1.15, 0.1)}


def test_other_runtimes_are_installed_apart() -> None:
    """Each that is compared with has an environment in the Makefile and a group of requirements."""
    (line,) = re.findall(r"^PEERS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    groups = re.findall(r"^peer-([\w-]+) = ", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert line.split() == list(PEERS)
    assert {*groups} - {"by-hand"} == {*PEERS}


def test_ratio_is_of_each_turn() -> None:
    """A slow turn hits both sides, so it changes neither ratio nor spread."""
    result = make_result(ours=[1.0, 30.0, 3.0], theirs=[2.0, 60.0, 6.0])

    assert result.ratio == 0.5
    assert result.spread == (0.5, 0.5)
    assert result.cpu_ratio is None


@pytest.mark.parametrize(("better", "best"), [("less", "quick"), ("more", "slow")])
def test_best_of_several_counts(better: Better, best: str) -> None:
    """Of several references the one with the best median is what ours is compared with."""
    result = make_result(better, ours=[2.0] * 3, quick=[1.0, 1.0, 9.0], slow=[4.0, 4.0, 4.0])

    assert result.reference == best


def test_base_is_taken_off_both() -> None:
    """What is compared is what each adds to the base."""
    result = make_result(ours=[13.0, 14.0, 12.0], theirs=[16.0, 16.0, 16.0], base=[10.0] * 3)

    assert result.ratio == 0.5


@pytest.mark.parametrize(
    ("better", "ours", "verdict"),
    [
        ("less", 0.5, "aim"),
        ("less", 0.51, "must"),
        ("less", 1.0, "must"),
        ("less", 1.01, "SHORT"),
        ("more", 4.0, "aim"),
        ("more", 3.9, "must"),
        ("more", 2.0, "must"),
        ("more", 1.9, "SHORT"),
    ],
)
def test_verdict(better: Better, ours: float, verdict: str) -> None:
    """A target is reached at its very value, in the direction that is better."""
    assert make_result(better, ours=[ours], theirs=[1.0]).verdict == verdict


def test_row_without_targets_has_no_verdict() -> None:
    """It informs."""
    result = make_result(ours=[9.0], theirs=[1.0])

    assert attrs.evolve(result, row=attrs.evolve(result.row, must=None, aim=None)).verdict == ""


@pytest.mark.parametrize(
    ("last", "verdict"), [(20.0, "aim"), (200.0, "must"), (240.0, "must"), (300.0, "SHORT")]
)
def test_curve(last: float, verdict: str) -> None:
    """A curve is judged by its steepest end: flat, like a line, or steeper."""
    growth = Growth(
        name="growth",
        title="a growth",
        unit="ms",
        per="things",
        sizes=(1, 10, 100),
        opening=lambda _: pytest.fail("nothing is measured here"),
    )
    # The processor's time counts where it is known.
    values = {"1": 20.0, "10": 20.0, "100": last}
    series = {size: [Sample(value=1.0, cpu=value)] for size, value in values.items()}

    assert Curve(row=growth, series=series).verdict == verdict


def test_documents_are_fresh() -> None:
    """Tables and plots are those of the last results: `python -m benchmarks --draw`."""
    for path, text in page.documents(records.read_records()).items():
        assert path.read_text() == text, path
