"""Every change that an installer makes is seen at the next start, in a real environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from tests.distributions import UV
from tests.fresh_environment import FreshEnvironment
from tests.msp_core.installed import plugin_source
from tests.msp_core.tiny_wheel import make_wheel

READERS = ("importlib_metadata", "importlib.metadata", "packaging", "email", "zipp")

JOB = f"""
import sys
from msp_core import hookimpl

class Books:
    name, version = "books", "1"

    @hookimpl
    def msp_execute(self):
        print("read by", *[each for each in sys.modules if each.startswith({READERS!r})])
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "books"
version = "1.0"
dependencies = [{dependencies}]

[project.entry-points."msp.services"]
books = "books:Books"
"""


@attrs.frozen
class Place:
    """A fresh environment, and a folder for what is installed into it.

    Attributes:
        environment: with the core in it.
        folder: of wheels and of the service's project.
        installer: what changes it, `uv` or `pip`.
    """

    environment: FreshEnvironment
    folder: Path
    installer: str

    def install(self, *arguments: str | Path, verb: str = "install") -> None:
        """Do it for real."""
        python = str(self.environment.folder / "bin" / "python")
        command = {
            "uv": [str(UV), "pip", verb, "--python", python],
            "pip": [sys.executable, "-m", "pip", "--python", python, verb],
        }[self.installer]
        done = subprocess.run(  # noqa: S603 - the installer
            [*command, *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "PIP_YES": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stdout + done.stderr

    def plugin(self, name: str, version: str = "0.1.0") -> Path:
        """Make the wheel of a plugin; return its path."""
        fields = f'address: str = env("{name.upper()}_ADDRESS", help="where it is")'
        source = plugin_source(fields).replace('"fake_"', '"msp_"')
        lines = {"msp.plugins": f"{name} = msp_{name}"}
        return make_wheel(self.folder, f"msp-{name}", version, source=source, entry_points=lines)

    def service(self, *requires: str, version: str = "1.0") -> Path:
        """Make the wheel of the job `books`; return its path."""
        lines = {"msp.services": "books = books:Books"}
        return make_wheel(
            self.folder, "books", version, source=JOB, requires=requires, entry_points=lines
        )

    def declared(self) -> tuple[dict[str, str], bool]:
        """Return versions of the plugins that are declared, and whether that was kept."""
        answer = json.loads(self.environment.run("msp plugins books --format json", self.folder))
        plugins = [one for one in answer["plugins"] if one["declared"]]
        return {one["name"]: one["version"] for one in plugins}, answer["cached"]

    def expect(self, **versions: str) -> None:
        """Check that a start sees these plugins by itself, and that the next one has kept them."""
        assert self.declared() == (versions, False)
        assert self.declared() == (versions, True)


@pytest.fixture(params=["uv", "pip"])
def place(
    request: pytest.FixtureRequest, fresh_environment: FreshEnvironment, tmp_path: Path
) -> Place:
    """Give an environment with the core, and the installer that changes it."""
    fresh_environment.install(["msp-core"], tmp_path)
    return Place(fresh_environment, tmp_path, request.param)


def test_wheels(place: Place) -> None:
    """Adding, reinstalling, upgrading and removing a plugin, and another requirement, are seen."""
    place.install("--no-deps", place.service("msp-kv"), place.plugin("kv"))
    place.expect(kv="0.1.0")

    place.install("--no-deps", "--force-reinstall", place.plugin("kv"))
    place.expect(kv="0.1.0")

    place.install("--no-deps", place.plugin("kv", "0.1.1"))
    place.expect(kv="0.1.1")

    place.install("--no-deps", place.service("msp-kv", "msp-queue", version="1.1"))
    with pytest.raises(AssertionError, match="msp-queue is not installed"):
        place.declared()
    place.install("--no-deps", place.plugin("queue"))
    place.expect(kv="0.1.1", queue="0.1.0")

    place.install("msp-kv", verb="uninstall")
    with pytest.raises(AssertionError, match="msp-kv is not installed"):
        place.declared()


def test_editable(place: Place) -> None:
    """A requirement that is edited is seen once the service is installed again, editable or not."""
    project = place.folder / "project"
    project.mkdir()
    (project / "books.py").write_text(JOB)
    for dependencies, versions in [
        ('"msp-kv"', {"kv": "0.1.0"}),
        ('"msp-kv", "msp-queue"', {"kv": "0.1.0", "queue": "0.1.0"}),
        ('"msp-queue"', {"queue": "0.1.0"}),
    ]:
        (project / "pyproject.toml").write_text(PROJECT.format(dependencies=dependencies))
        place.install("--no-deps", place.plugin("kv"), place.plugin("queue"), "--editable", project)
        place.expect(**versions)


def test_check_keeps_it(fresh_environment: FreshEnvironment, tmp_path: Path) -> None:
    """After `msp check`, as in an image, a real start imports nothing that reads metadata."""
    place = Place(fresh_environment, tmp_path, "uv")
    fresh_environment.install(["msp-core"], tmp_path)
    place.install("--no-deps", place.service("msp-kv"), place.plugin("kv"))
    start = "msp job books 2>&1 | grep 'read by'"

    assert "importlib_metadata" in fresh_environment.run(
        start, tmp_path, MSP_DECLARATION_CACHE="false"
    )

    fresh_environment.run("msp check books --image --strict", tmp_path)

    assert fresh_environment.run(start, tmp_path) == "read by\n"
    assert "\nDeclaration: kept by an earlier start\n" in fresh_environment.run(
        "msp plugins books", tmp_path
    )
