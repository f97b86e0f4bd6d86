"""What others import stays where it is."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

NAMES = Path(__file__).with_name("public_names.txt").read_text().split()

PACKAGES = [
    "msp_core",
    "msp_core.authoring",
    "msp_core.commands",
    "msp_core.config",
    "msp_core.diagnostics",
    "msp_core.health",
    "msp_core.http",
    "msp_core.routines",
]


def test_public_names_import_from_where_they_did() -> None:
    """A module may be split or moved; whoever imports from it does not notice."""
    pairs = [name.split(":") for name in NAMES]

    missing = [
        f"{module}:{name}"
        for module, name in pairs
        if not hasattr(importlib.import_module(module), name)
    ]

    assert missing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_new_public_names_are_written_down(package: str) -> None:
    """What a room offers is in `public_names.txt`, so that it can be held to it later."""
    offered = importlib.import_module(package).__all__

    assert {f"{package}:{name}" for name in offered} <= set(NAMES)
