"""The groups of `make mutants` name modules and tests that are there."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_groups_name_files() -> None:
    """A module that was moved is not silently left out."""
    groups = tomllib.loads((ROOT / "mutants/groups.toml").read_text())
    named = [path for group in groups.values() for path in group["modules"] + group["tests"]]

    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
