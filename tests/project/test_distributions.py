"""What is shipped: every wheel and source distribution, looked at from inside."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.distributions import PROJECTS, ROOT, Wheel, source_names

NAMES = [project.name if project != ROOT else "core" for project in PROJECTS]
PACKAGES = {name: f"msp_{name.replace('-', '_')}" for name in NAMES}
BESIDE = {"core": {"msp_command"}}  # the first lines of `msp`, which import nothing else yet


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Give the name of each distribution in turn, without `msp-`."""
    return str(request.param)


@pytest.fixture
def wheel(distributions: Path, name: str) -> Wheel:
    """Give the wheel of that distribution."""
    (path,) = distributions.glob(f"{PACKAGES[name]}-*.whl")
    return Wheel(path)


@pytest.fixture
def source(distributions: Path, name: str) -> list[str]:
    """Give the names of the files in the source distribution."""
    (path,) = distributions.glob(f"{PACKAGES[name]}-*.tar.gz")
    return source_names(path)


def test_licence_is_in_the_wheel(wheel: Wheel) -> None:
    """Whoever has the wheel has the text of the licence, not only its name."""
    licences = [name for name in wheel.names if name.endswith(".dist-info/licenses/LICENSE")]

    assert [wheel.text(name) for name in licences] == [(ROOT / "LICENSE").read_text()]
    assert wheel.metadata["License-Expression"] == "Apache-2.0"


def test_metadata_says_where_and_what(wheel: Wheel) -> None:
    """An index can show where the project lives, for what it is, and what it runs on."""
    metadata = wheel.metadata
    urls = dict(url.split(", ", 1) for url in metadata.get_all("Project-URL", []))
    classifiers = metadata.get_all("Classifier", [])
    versions = {each for each in classifiers if "Python :: 3." in each}

    assert urls.keys() == {"Repository", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(urls["Repository"]) for url in urls.values())
    assert len(metadata["Keywords"].split(",")) >= 3
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= set(classifiers)
    assert versions == {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)}


def test_links_of_the_readme_work_on_an_index(wheel: Wheel) -> None:
    """An index shows the README alone: a relative link would lead nowhere."""
    readme = wheel.metadata.get_payload()
    assert isinstance(readme, str)
    targets = re.findall(r"\]\(([^)]+)\)", readme)

    assert readme.startswith("# ")
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_wheel_holds_the_package_alone(wheel: Wheel, name: str) -> None:
    """A wheel installs its package, whole and with its type marker; no tests, no tools."""
    package = PACKAGES[name]
    folders = {path.partition("/")[0] for path in wheel.names}
    (project,) = (each for each in PROJECTS if (each / package).exists())
    files = (path for path in (project / package).rglob("*.*") if "__pycache__" not in path.parts)

    assert f"{package}/py.typed" in wheel.names
    assert {str(path.relative_to(project)) for path in files} <= set(wheel.names)
    own = {package} | BESIDE.get(name, set())
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == own


def test_source_holds_what_the_wheel_is_built_from(source: list[str], name: str) -> None:
    """A source distribution has its own package and papers, and no folder of anything else."""
    own = {PACKAGES[name]} | BESIDE.get(name, set())
    own |= {"bigquery"} if name == "example" else set()

    assert {path.partition("/")[0] for path in source if "/" in path} == own
    assert {"LICENSE", "README.md", "pyproject.toml"} <= set(source)


def test_migrations_of_the_example_are_in_its_wheel(distributions: Path) -> None:
    """What the start applies is shipped."""
    (path,) = distributions.glob("msp_example-*.whl")

    assert "msp_example/migrations/0001_visits.sql" in Wheel(path).names


@pytest.mark.parametrize(
    ("system", "implementation", "compiled"),
    [
        ("linux", "CPython", {"httptools", "uvloop"}),
        ("darwin", "CPython", {"httptools", "uvloop"}),
        ("win32", "CPython", {"httptools"}),
        ("linux", "PyPy", set()),
    ],
)
def test_the_extra_for_http_brings_parser_and_loop_in_c(
    distributions: Path, system: str, implementation: str, compiled: set[str]
) -> None:
    """Nobody has to know of them to have them, or needs a compiler where they have no wheel."""
    (path,) = distributions.glob("msp_core-*.whl")
    machine = {"sys_platform": system, "platform_python_implementation": implementation}
    texts = Wheel(path).metadata.get_all("Requires-Dist", [])
    marked = [one for one in map(Requirement, texts) if one.marker]
    installed = {
        one.name
        for one in marked
        if one.marker and one.marker.evaluate({"extra": "http", **machine})
    }

    assert installed == {"uvicorn", "a2wsgi", *compiled}


def test_one_extra_brings_every_server(distributions: Path) -> None:
    """`msp-dev[all]` asks for the extra `dev` of every plugin that has one."""
    (path,) = distributions.glob("msp_dev-*.whl")
    required = Wheel(path).metadata.get_all("Requires-Dist", [])
    servers = {text.partition("[dev]")[0] for text in required if "extra == 'all'" in text}
    texts = {project.name: (project / "pyproject.toml").read_text() for project in PROJECTS[1:-1]}
    projects = {name: tomllib.loads(text)["project"] for name, text in texts.items()}

    assert servers == {
        project["name"]
        for project in projects.values()
        if "dev" in project.get("optional-dependencies", {})
    }
