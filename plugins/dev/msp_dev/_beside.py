"""`msp dev env`, `msp dev psql`, `msp dev redis`: beside what runs in the same folder.

`msp dev env --format json` prints one object, `{"PGDSN": str, …}`: the variables of the dev
resources that run, and `MSP`.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msp_core.dev import StartedResource, running_resources
from msp_core.errors import DevError

WORDS = ("env", "psql", "redis")


def run_beside(arguments: argparse.Namespace) -> int:
    """Carry out one of the words; what runs goes on running meanwhile; return the exit code.

    Raises:
        DevError: nothing runs that the word is about.
    """
    with running_resources(arguments.data) as running:
        if arguments.name == "env":
            return _print(_variables(running, arguments.data), arguments.format)
        return _open(arguments.name, running, arguments.data, arguments.argv)


def _variables(running: Mapping[str, StartedResource], data: Path) -> dict[str, str]:
    if not running:
        raise DevError(f"no dev resource runs in {data}: start some with msp dev NAME")
    variables = {"MSP": "false"}
    for started in running.values():
        variables |= started
    return variables


def _print(variables: Mapping[str, str], chosen: str) -> int:
    if chosen == "json":
        text = json.dumps(variables, indent=2)
    else:
        text = "\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    sys.stdout.write(f"{text}\n")
    return 0


def _open(
    name: str, running: Mapping[str, StartedResource], data: Path, argv: Sequence[str]
) -> int:
    command = _client(name, running, data)
    # The terminal's Ctrl-C is the client's.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([*command, *argv], check=False).returncode  # noqa: S603 - a plugin's own command
    except FileNotFoundError:
        raise DevError(
            f"{command[0]} was not found, expected it for msp dev {name}: install it, or use "
            "another client with what msp dev env prints"
        ) from None
    finally:
        signal.signal(signal.SIGINT, before)


def _client(name: str, running: Mapping[str, StartedResource], data: Path) -> Sequence[str]:
    for started in running.values():
        if name in started.clients:
            return started.clients[name]
    raise DevError(f"nothing that {name} could open runs in {data}: start it with msp dev NAME")
