"""Commands beside a running `msp dev` use what it runs, which ends with the last of them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

Start = Callable[..., Any]
Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(installed: Path, data: Path) -> Ask:
    """Give what runs a command of `msp` to its end, in the folder whose `.msp` is the data."""
    (installed / ".msp").symlink_to(data)

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "msp_core", *arguments],
            cwd=installed,
            env={**os.environ, "PYTHONPATH": path},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def states(said: str) -> dict[str, str]:
    """Return the states of the banner by plugin."""
    lines = [line.split() for line in said.splitlines()]
    return {line[0]: line[1] for line in lines if line[:1] in (["cloudsql"], ["redis"])}


def gone(processes: Sequence[psutil.Process]) -> bool:
    """Return whether the processes have ended, after a while."""
    return psutil.wait_procs(processes, timeout=30)[1] == []


def test_a_second_one_joins_and_the_servers_end_with_the_last(msp_dev: Start) -> None:
    """Whoever started them may leave first: nobody loses a server, and none is left at the end."""
    first = msp_dev("guestbook")
    assert first.line() == "starts 1 1"
    assert states(first.ready()) == {"cloudsql": "embedded", "redis": "embedded"}
    servers = first.servers()

    second = msp_dev("guestbook")
    assert second.line() == "starts 2 2"
    assert states(second.ready()) == {"cloudsql": "joined", "redis": "joined"}
    assert second.below == []

    first.process.send_signal(signal.SIGINT)
    _, said = first.process.communicate(timeout=30)
    assert first.process.returncode == 0
    assert said.endswith(
        "cloudsql, redis: still used by another command here; runs until the last one leaves\n"
    )

    third = msp_dev("guestbook")
    assert third.line() == "starts 3 3"
    third.ready()
    assert second.end(signal.SIGTERM) == 0
    assert all(server.is_running() for server in servers)

    assert third.end(signal.SIGTERM) == 0
    assert gone(servers)


def test_kill_9_takes_no_server_from_the_others(msp_dev: Start) -> None:
    """A user who is killed counts as gone, the first as the last."""
    first = msp_dev("guestbook")
    first.ready()
    servers = first.below
    second = msp_dev("guestbook")
    second.ready()

    first.process.kill()
    first.process.wait()
    third = msp_dev("guestbook")

    assert third.line() == "starts 3 3"
    third.ready()
    second.process.kill()
    third.process.kill()
    assert gone(servers)

    again = msp_dev("guestbook")
    assert again.line() == "starts 4 4"
    assert states(again.ready()) == {"cloudsql": "embedded", "redis": "embedded"}


def test_two_that_start_at_once_share_the_servers(msp_dev: Start) -> None:
    """One starts each server, the other waits for it; who is who does not matter."""
    both = [msp_dev("guestbook"), msp_dev("guestbook")]

    said = [states(each.ready()) for each in both]
    assert sorted(each["redis"] for each in said) == ["embedded", "joined"]
    assert sorted(each["cloudsql"] for each in said) == ["embedded", "joined"]

    servers = [process for each in both for process in each.below]
    for each in both:
        each.process.send_signal(signal.SIGTERM)
    assert [each.process.wait(30) for each in both] == [0, 0]
    assert gone(servers)


def test_data_in_use_is_not_forgotten(msp_dev: Start) -> None:
    """Neither under whoever started the server, nor under others who use it."""
    first = msp_dev("guestbook")
    first.ready()
    second = msp_dev("guestbook")
    second.ready()

    refused = msp_dev("guestbook", "--fresh").process
    _, said = refused.communicate(timeout=30)
    assert refused.returncode == 1
    assert f"is in use by process {first.process.pid}: stop that one first" in said

    first.process.kill()
    first.process.wait()
    refused = msp_dev("guestbook", "--fresh").process
    _, said = refused.communicate(timeout=30)
    assert refused.returncode == 1
    assert "is in use by other commands: stop them first" in said


def test_env_prints_what_runs(msp_dev: Start, ask: Ask) -> None:
    """A shell can evaluate it, a program can parse it, and both get the same."""
    running = msp_dev("guestbook")
    running.ready()

    lines = [shlex.split(line) for line in ask("dev", "env").stdout.splitlines()]
    record = json.loads(ask("dev", "env", "--format", "json").stdout)

    assert dict(words[0].split("=", 1) for words in lines) == record
    assert all(len(words) == 1 for words in lines)
    assert set(record) == {"MSP", "PGDSN", "REDIS_ENDPOINT"}
    assert "/{{ .Database }}?sslmode=disable" in record["PGDSN"]


def test_migrate_uses_the_running_database(msp_dev: Start, ask: Ask, installed: Path) -> None:
    """Nothing has to be set beside a running `msp dev`; a variable that is set wins."""
    folder = installed / "guestbook" / "migrations"
    folder.mkdir()
    (folder / "1_visits.sql").write_text("CREATE TABLE visits ()")
    missing = ask("migrate", "guestbook")
    running = msp_dev("guestbook")
    running.ready()

    done = ask("migrate", "guestbook")

    assert missing.returncode == 1
    assert "PGDSN" in missing.stderr
    assert done.returncode == 0, done.stderr
    assert "database primary: 1 applied" in done.stdout


def test_psql_opens_the_running_database(msp_dev: Start, ask: Ask) -> None:
    """Its own arguments follow, its exit code is ours, and the server stays for it."""
    running = msp_dev("guestbook")
    running.ready()

    answer = ask("dev", "psql", "--", "--tuples-only", stdin="select count(*) from starts;\n")
    failed = ask("dev", "psql", "--", "-v", "ON_ERROR_STOP=1", stdin="select no_such;\n")

    assert answer.stdout.split() == ["1"]
    assert failed.returncode == 3


def test_a_client_that_is_not_installed_is_named(
    msp_dev: Start, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with two ways out."""
    monkeypatch.setenv("PATH", "/nowhere")
    running = msp_dev("guestbook")
    running.ready()

    answer = ask("dev", "redis")

    assert answer.returncode == 1
    assert answer.stderr == (
        "msp: redis-cli was not found, expected it for msp dev redis: install it, or use another "
        "client with what msp dev env prints\n"
    )


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("env", "no dev resource runs in .msp: start some with msp dev NAME"),
        ("psql", "nothing that psql could open runs in .msp: start it with msp dev NAME"),
        ("redis", "nothing that redis could open runs in .msp: start it with msp dev NAME"),
    ],
)
def test_says_when_nothing_runs(ask: Ask, word: str, sentence: str) -> None:
    """What to do is part of the sentence; what a killed one left behind does not count."""
    answer = ask("dev", word)

    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", f"msp: {sentence}\n")
