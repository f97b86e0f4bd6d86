"""PrivateFiles: what libpq can only read from files."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path


class PrivateFiles:
    """Files that nobody else can read, gone as soon as nothing refers to this object.

    So a connection that is just being made keeps the files it was given, although newer ones
    have replaced them.

    Args:
        contents: by file name.
    """

    def __init__(self, contents: Mapping[str, str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="msp-cloudsql-"))  # mode 0700
        # Not in the child of a fork: the files are its parent's.
        weakref.finalize(self, _remove, self._folder, os.getpid())
        for name, text in contents.items():
            file = self._folder / name
            file.touch(mode=0o600, exist_ok=False)
            file.write_text(text, "ascii")

    def path(self, name: str) -> str:
        """Return where a file is."""
        return str(self._folder / name)


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
