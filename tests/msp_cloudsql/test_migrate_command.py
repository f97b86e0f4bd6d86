"""`msp migrate`, on a service that exists for the test only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from msp_core._cli.main import main
from tests.msp_cloudsql.database import Database

SERVICE = """
class Guestbook:
    name, version = "guestbook", "1.2.3"
"""


@attrs.frozen
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, parsed; without the time it took."""
        found: dict[str, Any] = json.loads(self.out)
        found.pop("seconds")
        return found


@attrs.frozen
class Migrate:
    """Carries out `msp migrate guestbook…:Guestbook --database …`."""

    service: str
    database: Database
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Answer:
        """Carry it out with more arguments."""
        code = main(["migrate", self.service, "--database", self.database.name, *arguments])
        captured = self.capsys.readouterr()
        return Answer(code, captured.out, captured.err)


@pytest.fixture
def migrate(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Migrate:
    """Give the command, with a service whose package has the folder of migrations."""
    module = f"guestbook_{database.name}"
    folder = database.folder.parent
    (folder / f"{module}.py").write_text(SERVICE)
    monkeypatch.syspath_prepend(str(folder))
    for name, value in database.environ.items():
        monkeypatch.setenv(name, value)
    database.write(_1_visits="CREATE TABLE visits ()", _2_more="SELECT 1")
    return Migrate(f"{module}:Guestbook", database, capsys)


def test_applies_the_migrations_of_the_services_package(migrate: Migrate) -> None:
    """Progress goes to stderr, the result to stdout; a second time there is nothing to do."""
    first, second = migrate(), migrate()

    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith(f"database {migrate.database.name}: 2 applied, 0 skipped, head 2, ")
    assert [line.split(" in ")[0] for line in first.err.splitlines()] == [
        "msp: applied 1_visits.sql",
        "msp: applied 2_more.sql",
    ]
    assert " 0 applied, 2 skipped, head 2, " in second.out
    assert second.err == ""


def test_says_which_service_as_every_command_does(
    migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class of the current folder is found; the plugins given are those that are loaded."""
    monkeypatch.delitem(sys.modules, migrate.service.partition(":")[0], raising=False)
    monkeypatch.chdir(migrate.database.folder.parent)
    monkeypatch.setattr(sys, "path", sys.path[1:])  # without what the fixture put there
    fine = migrate("--plugins", "cloudsql", "--distribution", "msp-cloudsql")
    other = migrate("--plugins", "redis")

    assert fine.code == 0
    assert other.code != 0
    assert "'cloudsql' is not declared" in other.err


def test_json(migrate: Migrate) -> None:
    """The object names files, and has the same keys whatever happened."""
    behind = {"state": "current", "message": None, "head": 2}
    lists = {"applied": ["1_visits.sql", "2_more.sql"], "skipped": [], "ahead": []}
    assert migrate("--format", "json").json == {
        "database": migrate.database.name,
        **behind,
        **lists,
    }

    migrate.database.remove("2_more")
    ahead = migrate("--format", "json", "--check")

    assert ahead.code == 0
    assert (ahead.json["state"], ahead.json["ahead"]) == ("ahead", ["2_more.sql"])
    assert "ahead of this program, which does not know 2_more.sql" in ahead.err


@pytest.mark.parametrize("more", [(), ("--format", "json")])
def test_check_says_what_is_missing(migrate: Migrate, more: tuple[str, ...]) -> None:
    """It leaves with 1, and applies nothing."""
    answer = migrate("--check", *more)

    text = "the database lacks 1_visits.sql, 2_more.sql: run `msp migrate`"
    assert (answer.code, answer.err) == (1, f"msp: {text}\n")
    if more:
        assert (answer.json["state"], answer.json["message"]) == ("behind", text)
    else:
        assert answer.out == ""
    assert migrate.database.query("SELECT to_regclass('visits')") == [(None,)]


def test_options_reach_the_server(migrate: Migrate, tmp_path: Path) -> None:
    """Another folder, and both limits."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "1_slow.sql").write_text("SELECT pg_sleep(60)")
    answer = migrate("--directory", str(other), "--statement-timeout", "0.05")

    assert answer.code == 1
    assert "1_slow.sql, line 1: QueryCanceled: canceling statement due to" in answer.err

    with migrate.database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(1836281888, 1835624306)")
        pid = holder.info.backend_pid
        locked = migrate("--lock-timeout", "0")

    assert locked.code == 1
    assert locked.err.startswith(f"msp: process {pid} (unnamed, since 20")


def test_needs_a_folder(migrate: Migrate, tmp_path: Path) -> None:
    """A package that is spread over folders has none of its own."""
    package = tmp_path / f"spread_{migrate.database.name}"
    package.mkdir()
    (package / "service.py").write_text(SERVICE)
    service = f"{package.name}.service:Guestbook"
    answer = attrs.evolve(migrate, service=service)()

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"msp: {package.name} has no __init__.py: give the folder with --directory\n"
    )


def test_declared_folder(migrate: Migrate, tmp_path: Path) -> None:
    """What the service says of its migrations wins over the folder in its package."""
    elsewhere = tmp_path / "schema"
    elsewhere.mkdir()
    (elsewhere / "1_own.sql").write_text("SELECT 1")
    module = f"declares_{migrate.database.name}"
    source = f"{SERVICE}    migrations = {str(elsewhere)!r}\n"
    (migrate.database.folder.parent / f"{module}.py").write_text(source)
    answer = attrs.evolve(migrate, service=f"{module}:Guestbook")("--format", "json")

    assert answer.json["applied"] == ["1_own.sql"]


@pytest.mark.parametrize("platform", [{}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}])
def test_needs_a_database(
    migrate: Migrate, monkeypatch: pytest.MonkeyPatch, platform: dict[str, str]
) -> None:
    """Without a server the command says which variable to set; the service's own do not matter."""
    monkeypatch.delenv("PGDSN")
    for name, value in platform.items():
        monkeypatch.setenv(name, value)
    answer = migrate()

    assert answer.code == 1
    assert "PGDSN" in answer.err


def test_a_server_that_refuses_is_one_sentence(migrate: Migrate) -> None:
    """Nobody wants to read a traceback in the log of a release."""
    answer = migrate("--database", "nowhere", "--format", "json")

    text = 'database "nowhere" does not exist'
    assert (answer.code, answer.json["state"]) == (1, "failed")
    assert answer.err.startswith("msp: database 'nowhere': ")
    assert text in answer.err
    assert text in answer.json["message"]


def test_is_a_command_of_its_own_process(migrate: Migrate) -> None:
    """Several at once, as a release that is retried: all succeed, and one did the work."""
    command = [sys.executable, "-m", "msp_core", "migrate", migrate.service, "--format", "json"]
    command += ["--database", migrate.database.name]
    environ = {**os.environ, "PYTHONPATH": str(migrate.database.folder.parent)}
    running = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
        for _ in range(3)
    ]
    found = [json.loads(process.communicate()[0]) for process in running]

    assert [process.returncode for process in running] == [0, 0, 0]
    assert [each["head"] for each in found] == [2, 2, 2]
    assert sorted(len(each["applied"]) for each in found) == [0, 0, 2]
