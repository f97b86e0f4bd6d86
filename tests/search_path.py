"""search_path(): where a program that a test starts looks for packages."""

from __future__ import annotations

import os
from pathlib import Path


def search_path(*folders: Path | str) -> dict[str, str]:
    """Return `PYTHONPATH`: the folders, then those of the tests themselves, which hold a mutant."""
    paths = [*map(str, folders), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
