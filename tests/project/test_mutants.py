"""What `make mutants` rests on: its groups, and that tests see what is changed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.msp_core.program import StartProgram

ROOT = Path(__file__).parent.parent.parent


def test_groups_name_files() -> None:
    """A module that was moved is not silently left out."""
    groups = tomllib.loads((ROOT / "mutants/groups.toml").read_text())
    named = [path for group in groups.values() for path in group["modules"] + group["tests"]]

    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_programs_see_the_mutant(
    program: StartProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that a test starts imports from where the test does: from the changed clone."""
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone/changed.py").write_text("text = 'a mutant'")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "clone"))
    job = program(
        """
        @hookimpl
        def msp_execute(self):
            import changed
            return changed.text
        """
    )

    assert job.code() == 0
    assert job.line("execution succeeded")["summary"] == "a mutant"
