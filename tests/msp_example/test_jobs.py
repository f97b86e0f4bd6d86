"""The example's jobs as processes: every outcome with its exit code and its lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import httpx
import psycopg
import pytest

# Seconds; only reached when something is broken.
PATIENCE = 60.0

JOBS = ("sweep", "tally")


@attrs.frozen
class Ended:
    """One execution that is over.

    Attributes:
        code: exit code.
        lines: log lines.
    """

    code: int
    lines: list[dict[str, Any]]

    def line(self, start: str) -> dict[str, Any]:
        """Return the one line that starts so."""
        (line,) = [line for line in self.lines if line["Body"].startswith(start)]
        return line


def begin(job: str, environ: Mapping[str, str], *command: str) -> subprocess.Popen[str]:
    """Start an execution."""
    # What coverage needs to see into the process, and nothing else of ours.
    kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
    return subprocess.Popen(  # noqa: S603 - the example
        [sys.executable, "-m", "msp_core", *(command or ("job",)), job],
        env={**kept, "SRC_LOG_FORMAT": "json", **environ},
        stderr=subprocess.PIPE,
        text=True,
    )


def end(running: subprocess.Popen[str], before: str = "") -> Ended:
    """Wait until an execution is over."""
    _, printed = running.communicate(timeout=PATIENCE)
    lines = [line for line in (before + printed).splitlines() if line.startswith("{")]
    return Ended(running.returncode, [json.loads(line) for line in lines])


def execute(job: str, environ: Mapping[str, str], **variables: str) -> Ended:
    """Run an execution to its end."""
    return end(begin(job, {**environ, **variables}))


@pytest.mark.parametrize("job", JOBS)
class TestOutcome:
    def test_success(self, postgresql_environ: Mapping[str, str], job: str) -> None:
        """Done: 0, and what was done is in the log."""
        ended = execute(job, postgresql_environ)

        assert ended.code == 0
        assert ended.line("execution succeeded")["Attributes"]["summary"]

    @pytest.mark.parametrize(
        ("outcome", "code", "text"),
        [("failure", 1, "execution failed: "), ("permanent", 65, "execution failed for good: ")],
    )
    def test_failure(
        self, postgresql_environ: Mapping[str, str], job: str, outcome: str, code: int, text: str
    ) -> None:
        """Failed: 1, or 65 when a retry is pointless; one traceback, and everything closed."""
        ended = execute(job, postgresql_environ, OUTCOME=outcome)

        assert ended.code == code
        assert "in msp_execute" in ended.line(text)["Stacktrace"]
        assert closed_in_order(ended)

    def test_deadline(self, postgresql_environ: Mapping[str, str], job: str) -> None:
        """Not done in time: 1, told apart from a failure, and before the platform's kill."""
        pause = {"sweep": "10ms", "tally": "1000s"}[job]
        ended = execute(job, postgresql_environ, PAUSE=pause, JOB_EXECUTION_DEADLINE="4s")

        assert ended.code == 1
        assert ended.line("execution exceeded its deadline")["Attributes"]["seconds"] < 4
        assert closed_in_order(ended)

    def test_signal(self, postgresql_environ: Mapping[str, str], job: str) -> None:
        """Told to end by the platform: 1, in order."""
        pause = {"sweep": "10ms", "tally": "1000s"}[job]
        running = begin(job, {**postgresql_environ, "PAUSE": pause})
        assert running.stderr is not None
        first = running.stderr.readline()

        assert "execution starting" in first
        running.send_signal(signal.SIGTERM)
        ended = end(running, first)
        assert ended.code == 1
        assert ended.line("execution cancelled by SIGTERM")
        assert closed_in_order(ended)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("success", "ok"),
        ("failure", "error"),
        ("permanent", "error"),
        ("deadline", "error"),
        ("signal", "error"),
    ],
)
def test_checks_in(
    postgresql_environ: Mapping[str, str],
    sentry_environ: Mapping[str, str],
    outcome: str,
    status: str,
) -> None:
    """However an execution ends, both of its check-ins arrive, under its own id."""
    environ = {
        **postgresql_environ,
        **sentry_environ,
        "ENVIRONMENT_ID": outcome,
        "JOB_EXECUTION_CRON_SCHEDULE": "*/5 * * * *",
        "JOB_EXECUTION_DEADLINE": "4s" if outcome == "deadline" else "300s",
        "OUTCOME": outcome if outcome in {"failure", "permanent"} else "success",
        "PAUSE": "1000s" if outcome in {"deadline", "signal"} else "0s",
    }
    running = begin("tally", environ)
    assert running.stderr is not None
    first = running.stderr.readline()
    if outcome == "signal":
        running.send_signal(signal.SIGTERM)
    ended = end(running, first)

    execution = ended.line("execution starting")["Attributes"]["execution_id"]
    receiver = sentry_environ["SENTRY_DSN"].rpartition("@")[2].partition("/")[0]
    kept = httpx.get(f"http://{receiver}/check-ins").json()
    own = [each for each in kept if each["monitor_slug"] == f"tally-{outcome}"]
    assert [each["status"] for each in own] == ["in_progress", status]
    assert {each["check_in_id"].replace("-", "") for each in own} == {execution.replace("-", "")}


def closed_in_order(ended: Ended) -> bool:
    """Return whether the ledger has the execution first, then what was open, and nothing hung."""
    steps = ended.line("job stopped by ")["Attributes"]["steps"]
    names = [step["name"] for step in steps]
    in_time = all(step["outcome"] == "ok" for step in steps)
    return names[0] == "execution" and "cloudsql" in names and in_time


def test_tasks_sweep_every_item(postgresql_environ: Mapping[str, str]) -> None:
    """Four tasks, one of them failed and tried again, sweep all items, each task its own."""
    dsn = postgresql_environ["PGDSN"].replace("{{ .Database }}", "primary")
    with psycopg.connect(dsn) as connection:
        connection.execute("DROP TABLE IF EXISTS swept")

    def task(index: int) -> Ended:
        variables = {"CLOUD_RUN_TASK_INDEX": str(index), "CLOUD_RUN_TASK_COUNT": "4"}
        if index == 2:
            assert execute("sweep", postgresql_environ, OUTCOME="failure", **variables).code == 1
            variables["CLOUD_RUN_TASK_ATTEMPT"] = "1"
        return execute("sweep", postgresql_environ, **variables)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(task, range(4)))
    with psycopg.connect(dsn) as connection:
        items = connection.execute("SELECT item FROM swept ORDER BY item").fetchall()
    summaries = [one.line("execution succeeded")["Attributes"]["summary"] for one in ended]

    assert [item for (item,) in items] == list(range(1003))
    assert [summary["swept"] for summary in summaries] == [251, 251, 251, 250]


def test_tally_runs_once_at_a_time(postgresql_environ: Mapping[str, str]) -> None:
    """While one execution holds the lock a second says so and leaves with 0."""
    first = begin("tally", {**postgresql_environ, "PAUSE": "1000s"})
    dsn = postgresql_environ["PGDSN"].replace("{{ .Database }}", "primary")
    with psycopg.connect(dsn, autocommit=True) as connection:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        while connection.execute(held).fetchone() == (0,):
            assert first.poll() is None
    second = execute("tally", postgresql_environ)
    first.send_signal(signal.SIGTERM)
    cancelled = end(first)
    third = execute("tally", postgresql_environ)

    assert second.code == 0
    assert "is held by another execution" in second.line("execution skipped: ")["Body"]
    assert cancelled.code == 1
    assert third.line("execution succeeded")


def test_on_a_laptop(open_folder: Path) -> None:
    """`make job` is `msp dev`: the job runs on embedded resources and leaves with its own code."""
    folder = open_folder / "example-jobs"
    folder.mkdir(mode=0o711)
    environ = {"PATH": os.environ["PATH"], "OUTCOME": "permanent"}
    ended = end(begin("sweep", environ, "dev", "--data", str(folder)))

    assert ended.code == 65
    assert ended.line("execution failed for good: ")
