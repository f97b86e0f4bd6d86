"""The folder in which embedded resources keep their data."""

from __future__ import annotations

from pathlib import Path

from msp_core.dev import unusable


def prepare(folder: Path) -> None:
    """Make the folder; one that is new or empty is hidden from Git.

    Raises:
        DevError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            (folder / ".gitignore").write_text("*\n", "ascii")
    except OSError as error:
        raise unusable(folder, error) from None
