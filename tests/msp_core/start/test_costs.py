"""What is measured of a start."""

from __future__ import annotations

import mmap
import resource
import sys
from pathlib import Path

import pytest

from msp_core._start import costs
from msp_core._start.costs import Costs, resident_set
from msp_core._start.import_watch import ImportedPackage
from tests.msp_core.life_sources import IDLE
from tests.msp_core.program import StartProgram


def test_the_first_line_says_what_the_start_took(program: StartProgram) -> None:
    """Each part has milliseconds and megabytes; imports are not watched unless asked."""
    service = program(IDLE)

    assert service.stop() == 0
    start = service.line("service started")["start"]
    assert list(start) == ["before", "resolve", "variables", "initialize", "serve", "all"]
    assert {tuple(part) for part in start.values()} == {("ms", "mb")}
    assert start["before"]["ms"] > 0
    assert start["all"]["mb"] > 5


def test_records_are_milliseconds_and_megabytes() -> None:
    """Rounded to a tenth; packages by name when somebody watched."""
    measured = Costs()
    measured.parts = [costs.Part(name="open redis", seconds=0.03456, memory=3 * 2**19)]
    measured.imports = (ImportedPackage(name="redis", seconds=0.0312, modules=61),)

    assert measured.records() == {
        "open redis": {"ms": 34.6, "mb": 1.5},
        "imports": {"redis": 31.2},
    }


def test_a_part_that_fails_is_none() -> None:
    """The start is over then."""
    measured = Costs()

    with pytest.raises(OSError, match="refused"), measured.measure("open kv"):
        raise OSError("refused")

    assert [part.name for part in measured.parts] == ["before"]


def test_memory_that_is_taken_is_seen() -> None:
    """Ten megabytes more are about ten megabytes more."""
    # Pages of the system itself: what Python frees and takes again does not show.
    with mmap.mmap(-1, 10 * 2**20) as taken:
        before = resident_set()
        taken.write(b"x" * 10 * 2**20)

        assert resident_set() - before > 8 * 2**20


@pytest.mark.parametrize(("system", "unit"), [("darwin", 1), ("linux", 1024)])
def test_memory_without_proc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, unit: int
) -> None:
    """Where the system does not say, the peak stands for it, in the unit that it has there."""
    monkeypatch.setattr(costs, "STATM", tmp_path / "statm")
    monkeypatch.setattr(sys, "platform", system)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert peak * unit <= resident_set() < 2 * peak * unit
