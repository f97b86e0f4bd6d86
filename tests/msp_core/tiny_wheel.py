"""Tiny wheels: distributions of one module, as a builder would make them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    source: str,
    requires: Sequence[str] = (),
    entry_points: Mapping[str, str],
) -> Path:
    """Write the wheel of a distribution whose only module has its name.

    Args:
        folder: to write it to.
        name: of the distribution.
        version: of it.
        source: of the module.
        requires: its requirements.
        entry_points: groups, each with one line.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = [f"Name: {name}", f"Version: {version}"]
    files = {
        f"{module}.py": source,
        f"{info}/METADATA": "\n".join(
            ["Metadata-Version: 2.1", *metadata, *(f"Requires-Dist: {each}" for each in requires)]
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(
            f"[{group}]\n{line}" for group, line in entry_points.items()
        ),
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(each, text)
    return path
