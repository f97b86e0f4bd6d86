"""Distributions: the wheels and source distributions of this repository, built once a session."""

from __future__ import annotations

import email
import fcntl
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import attrs

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).parent / "uv"
PROJECTS = (ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml")))

# Folders of the distributions, each with a `pyproject.toml`.
PROJECTS = (*PROJECTS, ROOT / "example")


def build_all(folder: Path) -> Path:
    """Build every wheel and source distribution; return the folder that holds them.

    Args:
        folder: made when missing; several processes may ask for the same one, the first builds.
    """
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = folder / "dist"
        if not built.exists():
            command = [
                str(UV),
                "build",
                "--quiet",
                "--all-packages",
                "--out-dir",
                str(folder / "new"),
            ]
            subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own tool
            (folder / "new").rename(built)
    return built


@attrs.frozen
class Wheel:
    """A built wheel.

    Attributes:
        path: of the file.
    """

    path: Path

    @property
    def names(self) -> list[str]:
        """The files in it."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.namelist()

    @property
    def metadata(self) -> Message:
        """Its METADATA; the payload is the README."""
        (name,) = (name for name in self.names if name.endswith(".dist-info/METADATA"))
        return email.message_from_string(self.text(name))

    def text(self, name: str) -> str:
        """Return the text of a file in it."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name).decode()


def source_names(path: Path) -> list[str]:
    """Return the files of a source distribution, relative to the folder that it unpacks to."""
    with tarfile.open(path) as archive:
        return [member.name.partition("/")[2] for member in archive.getmembers()]
