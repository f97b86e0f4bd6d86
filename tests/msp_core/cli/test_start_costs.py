"""What `msp run --profile-start` prints, and what `msp check --max-start` says."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from msp_core._cli.costs_table import costs_table
from msp_core._start.costs import Costs, Part
from msp_core._start.import_watch import ImportedPackage
from msp_core._text.terminal import Terminal
from tests.msp_core.cli.test_run import JOB, ROUTINE
from tests.msp_core.command_line import Process
from tests.msp_core.installed import Installed, plugin_source

# Imports `quick`, which imports what takes longer.
LATE = ROUTINE.replace("return Wait()", "import quick; return Wait()")
PARTS = ["before", "resolve", "load kv", "variables", "open kv", "initialize", "serve", "all"]


# A plugin that opens.
PLUGIN = plugin_source('dsn: str = env("KV_DSN")').replace(
    "def open_client(config, contract): ...",
    "from contextlib import asynccontextmanager\n"
    "@asynccontextmanager\nasync def open_client(config, contract): yield Client()",
)


@pytest.fixture
def service(installed: Installed) -> Installed:
    """Install a service with a plugin, whose imports take long."""
    installed.plugin("kv", PLUGIN)
    installed.service("guestbook", LATE, requires=["msp-kv"])
    (installed.folder / "quick.py").write_text("import slow\n")
    (installed.folder / "slow.py").write_text("sum(range(1_000_000))\n")
    return installed


def profile(service: Installed, *arguments: str) -> list[str]:
    """Return the lines on stdout of a start with a profile."""
    process = Process(service.folder)
    environ = {"PORT": "0", "KV_DSN": "x"}
    with process.start("guestbook", "--profile-start", *arguments, **environ) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline()]
        running.send_signal(signal.SIGTERM)
        lines += running.stdout
    return [line.rstrip("\n") for line in lines]


def test_profile_for_programs(service: Installed) -> None:
    """One line has all parts in order, and the packages that took longest to import."""
    ready, costs, stopped = map(json.loads, profile(service, "--format", "json"))
    imports = {each["name"]: each for each in costs["imports"]}
    seconds = [each["seconds"] for each in costs["imports"]]

    assert [ready["event"], stopped["event"]] == ["ready", "stopped"]
    assert [part["name"] for part in costs["parts"]] == PARTS
    assert costs["parts"][-1]["seconds"] >= sum(part["seconds"] for part in costs["parts"][:-1])
    assert costs["parts"][0]["memory"] <= costs["parts"][-1]["memory"]
    assert seconds == sorted(seconds, reverse=True)
    assert len(seconds) == 10
    assert imports["slow"]["modules"] == 1
    # What a module imports is not its own time.
    assert imports["slow"]["seconds"] > imports.get("quick", {"seconds": 0})["seconds"]


def test_profile_for_people(service: Installed) -> None:
    """The same as two tables."""
    first, *lines = profile(service)

    assert first.split() == ["ms", "MB", "part"]
    assert [line.split(maxsplit=2)[2] for line in lines[: len(PARTS)]] == PARTS
    assert lines[len(PARTS) : len(PARTS) + 2] == ["", "     ms  modules  import"]
    assert "slow" in [line.split()[2] for line in lines[len(PARTS) + 2 :]]


def test_profile_on_a_small_terminal() -> None:
    """Numbers are aligned, and nothing is wider than 60 columns."""
    costs = Costs()
    costs.parts = [Part(name="open opentelemetry", seconds=1.23456, memory=5 * 2**20)]
    costs.imports = (ImportedPackage(name="opentelemetry", seconds=0.04, modules=131),)

    assert costs_table(costs, Terminal(width=60)).splitlines() == [
        "     ms       MB  part",
        " 1234.6      5.0  open opentelemetry",
        "",
        "     ms  modules  import",
        "   40.0      131  opentelemetry",
    ]


def check(service: Installed, *arguments: str, **environ: str) -> tuple[int, list[dict[str, Any]]]:
    """Return exit code and findings of a check."""
    process = Process(service.folder, "check")
    given = {"PORT": "0", "KV_DSN": "x", **environ}
    with process.start("guestbook", "--format", "json", *arguments, **given) as running:
        out, _ = running.communicate(timeout=120)
    return running.returncode, json.loads(out)["checks"] if out else []


@pytest.mark.parametrize(
    ("most", "code", "status", "advice"),
    [("1h", 0, "pass", False), ("1ns", 1, "fail", True)],
)
def test_start_within_a_budget(
    service: Installed,
    most: str,
    code: int,
    status: str,
    advice: bool,  # noqa: FBT001 - a case
) -> None:
    """A start that takes longer than wanted fails the check, and the sentence says what to do."""
    left, findings = check(service, "--max-start", most, "--plugins", "kv")
    finding = findings[-1]

    assert left == code
    assert (finding["id"], finding["status"]) == ("start", status)
    assert finding["message"].startswith("ready after ")
    assert ("--profile-start" in finding["message"]) is advice


def test_start_that_fails(installed: Installed) -> None:
    """What does not start at all is no start in time."""
    installed.plugin("kv", PLUGIN)
    broken = ROUTINE.replace("return Wait()", "raise OSError")
    installed.service("guestbook", broken, requires=["msp-kv"])
    code, findings = check(installed, "--max-start", "1h", "--distribution", "guestbook")

    assert code == 1
    assert findings[-1]["message"] == "it does not start: `msp run` says why"


def test_no_start_where_variables_are_wrong(service: Installed) -> None:
    """What is known to fail is not tried."""
    code, findings = check(service, "--max-start", "1h", PORT="x")

    assert code == 78
    assert "start" not in [finding["id"] for finding in findings]


def test_no_start_of_a_job(installed: Installed) -> None:
    """A job is not executed to see how long it takes."""
    installed.service("guestbook", JOB)

    assert check(installed, "--max-start", "1h") == (2, [])


def test_no_duration(service: Installed) -> None:
    """What is no duration is an error of usage."""
    assert check(service, "--max-start", "800") == (2, [])
