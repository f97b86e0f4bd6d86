"""`msp dev` runs a service on embedded resources and leaves nothing running, however it ends."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]


def test_runs_a_service_keeps_its_data_and_forgets_it_when_told(msp_dev: Start, data: Path) -> None:
    """Both servers start without any preparation, and a second run goes on where the first was.

    PGUSER, which libpq's own tools read, is no wish for another server.
    """
    first = msp_dev("guestbook", PGUSER="me")
    assert first.line() == "starts 1 1"
    said = first.ready()
    assert first.end(signal.SIGINT) == 0

    second = msp_dev("guestbook")
    assert second.line() == "starts 2 2"
    second.ready()
    assert second.end(signal.SIGTERM) == 0

    fresh = msp_dev("guestbook", "--fresh")
    assert fresh.line() == "starts 1 1"
    fresh.ready()
    assert fresh.end(signal.SIGHUP) == 0

    banner = [line.split(maxsplit=2) for line in said.splitlines()]
    reasons = {line[0]: line[2] for line in banner if line[1:2] == ["embedded"]}
    assert re.fullmatch(
        rf"PostgreSQL \d.*; sets PGDSN; data in {data / 'cloudsql'}", reasons["cloudsql"]
    )
    assert re.fullmatch(
        rf"(Valkey|Redis) \d.*; sets REDIS_ENDPOINT; data in {data / 'redis'}", reasons["redis"]
    )
    assert ["http://localhost:8080/"] in banner


def test_kill_9_leaves_nothing_running_and_loses_no_data(msp_dev: Start) -> None:
    """The guards stop the servers, and the next run starts at once on the same data."""
    killed = msp_dev("guestbook")
    assert killed.line() == "starts 1 1"
    killed.ready()
    assert len(killed.below) > 4

    assert killed.end(signal.SIGKILL) == -signal.SIGKILL

    again = msp_dev("guestbook")
    assert again.line() == "starts 2 2"


def test_a_server_that_crashes_is_one_line(msp_dev: Start, data: Path) -> None:
    """Which one, and its exit code; the service goes on, and stops as ever."""
    process = msp_dev("guestbook")
    process.ready()
    (server,) = [one for one in process.below if one.name() in {"valkey-server", "redis-server"}]
    server.kill()
    said = ""
    while " ended with exit code " not in said:
        said = process.process.stderr.readline()
        assert said

    assert re.search(
        rf"(valkey|redis)-server ended with exit code 137, .* see {data}/redis/log", said
    )
    assert process.end(signal.SIGINT) == 0


def test_a_service_that_fails_to_start_leaves_nothing_running(msp_dev: Start) -> None:
    """The exit code is the service's, and its servers are stopped before."""
    failing = msp_dev("guestbook", FAIL="true")
    failing.line()
    failing.look()

    assert failing.process.wait(30) == 1
    assert failing.left() == []


@pytest.mark.parametrize(
    ("arguments", "plugins"),
    [
        (("--plugins", "redis"), ["redis"]),
        (("--distribution", "guestbook"), ["cloudsql", "redis"]),
    ],
)
def test_a_script_says_what_it_declares(
    msp_dev: Start, arguments: tuple[str, ...], plugins: list[str]
) -> None:
    """A class that no entry point lists runs on the resources that the command line names."""
    _, said = msp_dev("guestbook:Waiting", *arguments).process.communicate(timeout=60)

    rows = [line.split() for line in said.splitlines()]
    assert [row[0] for row in rows if row[1:2] == ["embedded"]] == plugins
    assert "AssertionError" in said  # from the service's own hook: it was run


def test_a_configuration_problem_is_the_services_exit_code(msp_dev: Start) -> None:
    """Variables that do not come from a dev resource are judged as everywhere."""
    assert msp_dev("guestbook", FAIL="perhaps").process.wait(30) == 78


def test_a_resource_the_user_configured_is_not_started(
    msp_dev: Start, data: Path, redis_environ: Mapping[str, str]
) -> None:
    """The user's own server is used."""
    process = msp_dev("guestbook", REDIS_ENDPOINT=redis_environ["REDIS_ENDPOINT"])
    said = process.ready()
    process.end(signal.SIGTERM)

    lines = [line.split(maxsplit=2) for line in said.splitlines()]
    assert ["redis", "configured", "REDIS_ENDPOINT set by you"] in lines
    assert set(os.listdir(data)) == {".gitignore", "cloudsql"}  # noqa: PTH208 - as short as it gets
    assert (data / ".gitignore").read_text() == "*\n"


def test_data_that_is_damaged_ends_the_start(msp_dev: Start, data: Path) -> None:
    """The server's own words are shown, the other server is stopped, and a fresh start works."""
    first = msp_dev("guestbook")
    first.ready()
    first.end(signal.SIGTERM)
    (control,) = data.glob("cloudsql/postgresql-*/global/pg_control")
    control.write_bytes(b"damaged")

    damaged = msp_dev("guestbook")
    _, said = damaged.process.communicate(timeout=30)
    fresh = msp_dev("guestbook", "--fresh")

    assert damaged.process.returncode == 1
    assert "msp: postgres ended before it was ready; the end of" in said
    assert "Traceback" not in said
    assert fresh.line() == "starts 1 1"


def test_a_folder_that_cannot_be_one_is_one_sentence(msp_dev: Start, data: Path) -> None:
    """What is in the way is named, and a way out."""
    data.rmdir()
    data.write_text("")
    process = msp_dev("guestbook")
    _, said = process.process.communicate(timeout=30)
    data.unlink()

    assert process.process.returncode == 1
    assert said == (
        f"msp: {data}: file exists, expected a folder that can be written, with space on its disk: "
        "mend that, or name another with --data\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_can_be_stopped_while_resources_start(msp_dev: Start, number: int) -> None:
    """A start that takes too long is not waited for, and undone."""
    process = msp_dev("waiting")
    assert process.line() == "starting"
    process.process.send_signal(number)

    assert process.line() == "stopped"
    assert process.process.wait(30) == 0


@pytest.mark.parametrize(
    "variable", ["K_SERVICE", "CLOUD_RUN_JOB", "KUBERNETES_SERVICE_HOST", "MSP"]
)
def test_refuses_to_run_on_a_platform(msp_dev: Start, data: Path, variable: str) -> None:
    """Nothing embedded ever stands in for a real resource in production."""
    process = msp_dev("guestbook", **{variable: "true"})
    _, said = process.process.communicate(timeout=30)

    assert process.process.returncode == 1
    assert "dev resources do not run" in said
    assert not list(data.iterdir())
