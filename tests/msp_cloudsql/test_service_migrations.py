"""`msp check` tells of migrations that an installed service declares and cannot apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from msp_cloudsql import msp_check_service
from tests.fresh_environment import FreshEnvironment

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "guestbook"
version = "1.0.0"
dependencies = ["msp-core[cloudsql]"]

[project.entry-points."msp.services"]
guestbook = "guestbook.service:Guestbook"

[tool.setuptools]
packages = ["guestbook"]
"""
SHIPPED = """
[tool.setuptools.package-data]
guestbook = ["migrations/*.sql"]
"""
SERVICE = """
from pathlib import Path
from msp_core import hookimpl

class Guestbook:
    name, version = "guestbook", "1.0.0"
    migrations = Path(__file__).parent / "migrations"

    @hookimpl
    async def msp_initialize(self): ...
"""
CHECK = "msp check guestbook {} --format json > said; echo $?"


class Service:
    """A service with a folder of migrations."""

    def __init__(self, migrations: object) -> None:
        self.migrations = migrations


def build(environment: FreshEnvironment, folder: Path, project: str) -> None:
    """Write a project, build its wheel and install that."""
    package = folder / "guestbook"
    (package / "migrations").mkdir(parents=True)
    (package / "migrations" / "0001_visits.sql").write_text("CREATE TABLE visits ()")
    (package / "__init__.py").touch()
    (package / "service.py").write_text(SERVICE)
    (folder / "pyproject.toml").write_text(project)
    environment.build(["--wheel-dir", "dist", "."], folder)
    environment.install(["dist/guestbook-1.0.0-py3-none-any.whl"], folder)


def test_wheel_without_them(fresh_environment: FreshEnvironment, tmp_path: Path) -> None:
    """Setuptools ships no SQL unless told: the build of the image fails, and says what to do."""
    build(fresh_environment, tmp_path, PROJECT)

    for option, variables in (("--image", {}), ("", {"PORT": "0"})):
        assert fresh_environment.run(CHECK.format(option), tmp_path, **variables) == "78\n"
        said = (tmp_path / "said").read_text()
        assert '"id": "service.cloudsql"' in said
        assert (
            "/site-packages/guestbook/migrations is not there: ship the files *.sql as data of the "
            "package, in the wheel too"
        ) in said


def test_wheel_with_them(fresh_environment: FreshEnvironment, tmp_path: Path) -> None:
    """One that has them passes."""
    build(fresh_environment, tmp_path, PROJECT + SHIPPED)

    assert fresh_environment.run(CHECK.format("--image --strict"), tmp_path) == "0\n"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "{0} holds no migration, expected 0001_name.sql: ship the files"),
        (("0001_a", "1_b"), "migrations in {0}: 1_b.sql has the number of 0001_a.sql: give"),
        (("0001_a", "0003_c"), "migrations in {0}: 0003_c.sql comes where number 2 is expected"),
    ],
)
def test_folder(tmp_path: Path, names: tuple[str, ...], expected: str) -> None:
    """The one problem names the folder, and what `migrate` would refuse."""
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1")
    (problem,) = msp_check_service(Service(str(tmp_path)))

    assert problem.startswith(expected.format(tmp_path))


def test_folder_that_will_do(tmp_path: Path) -> None:
    """One with migrations in order is no problem."""
    (tmp_path / "0001_a.sql").write_text("SELECT 1")

    assert msp_check_service(Service(tmp_path)) == []


def test_no_path() -> None:
    """An attribute that is no path is told, not guessed at."""
    (problem,) = msp_check_service(Service(["0001_a.sql"]))

    assert problem.startswith("the service's attribute `migrations` is of type list, expected the")


def test_declares_none() -> None:
    """A service may have no migrations, or apply them elsewhere."""
    assert msp_check_service(object()) == []
