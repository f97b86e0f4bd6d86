"""FreshEnvironment: a virtual environment that holds what pip was asked for, and nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.distributions import ROOT, UV


@attrs.frozen
class FreshEnvironment:
    """An environment like a stranger's: our distributions come as wheels, nothing is on the path.

    Attributes:
        folder: of the environment.
        wheels: folder of our wheels, which stands for the index they are published on.
    """

    folder: Path
    wheels: Path

    @classmethod
    def make(cls, folder: Path, wheels: Path) -> FreshEnvironment:
        """Make it; what the folder held before is gone."""
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        return cls(folder, wheels)

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a shell in which it is active, without those of whoever runs tests."""
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
        ours = str(Path(sys.executable).parent)
        rest = [part for part in os.environ["PATH"].split(os.pathsep) if part != ours]
        return {
            **kept,
            "PATH": os.pathsep.join([str(self.folder / "bin"), *rest]),
            "PYTHONSAFEPATH": "1",  # not even the current folder
            # Each environment of a session has the same path, so bytecode is made once.
            "PYTHONPYCACHEPREFIX": str(self.folder.with_name("bytecode")),
        }

    def install(self, arguments: Sequence[str], folder: Path) -> None:
        """Do what `pip install` would in a folder, which uv does ten times faster.

        A folder that is to be editable is built as a wheel instead: what is missing from that is
        missing for good.
        """
        requirements = list(arguments)
        while "-e" in requirements:
            position = requirements.index("-e")
            requirements[position : position + 2] = [f"./{requirements[position + 1]}"]
        at = ("--python", str(self.folder / "bin" / "python"), "--find-links", str(self.wheels))
        pins = ("--constraint", str(ROOT / "constraints.txt"))
        _uv("pip", "install", *at, *pins, *requirements, cwd=folder)

    def build(self, arguments: Sequence[str], folder: Path) -> None:
        """Do what `pip wheel --no-deps` would in a folder."""
        arguments = ["--out-dir" if each == "--wheel-dir" else each for each in arguments]
        _uv("build", "--wheel", *(each for each in arguments if each != "--no-deps"), cwd=folder)

    def run(self, command: str, folder: Path, **variables: str) -> str:
        """Return what a shell command prints in the active environment; it must leave with 0."""
        return _checked(["/bin/sh", "-c", command], folder, {**self.environ, **variables})


def words_of(command: str, program: str) -> list[str] | None:
    """Return the arguments of a command, or None when it is of another program."""
    if not command.startswith(f"{program} "):
        return None
    return shlex.split(command.removeprefix(f"{program} "))


def _uv(*arguments: str, cwd: Path = ROOT) -> None:
    _checked([str(UV), "--quiet", *arguments], cwd, dict(os.environ))


def _checked(command: Sequence[str], cwd: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - what a test or a page says
        command,
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"{shlex.join(command)}: {done.returncode}\n{done.stdout}"

    return done.stdout
