"""`msp run`: starts a service, as its own `__main__` would.

`--format json` prints one object per line on stdout, beside the log on stderr:

    {"event": "ready", "name": str, "version": str, "port": int}
    {"event": "stopped", "name": str, "exit_code": int}

`ready` is left out when the service never was.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from msp_core._cli_service import ServiceArguments, add_format, add_service_arguments, service_name
from msp_core.contract import ServiceContract
from msp_core.integration import Command
from msp_core.runtime import run as run_service


def run_command(environ: Mapping[str, str]) -> Command:
    """Return the command; the service is given these variables."""

    def run(arguments: argparse.Namespace) -> int:
        chosen = ServiceArguments.of(arguments)
        service = chosen.find()
        events = arguments.format == "json"
        code = run_service(
            service,
            environ=environ,
            plugins=chosen.plugins,
            distribution=chosen.distribution,
            argv=arguments.argv,
            on_ready=_say_ready if events else None,
            exits=True,
        )
        if events:
            _say(event="stopped", name=service_name(service), exit_code=code)
        return code

    return Command(name="run", help="start a service", configure=_configure, run=run)


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    add_format(parser, "text", "json")
    parser.add_argument(
        "argv",
        nargs="*",
        metavar="ARGUMENT",
        help="the service's own, after --; `-- --help` lists its variables",
    )


def _say_ready(contract: ServiceContract) -> None:
    _say(event="ready", name=contract.name, version=contract.version, port=contract.port)


def _say(**event: object) -> None:
    sys.stdout.write(f"{json.dumps(event)}\n")
    sys.stdout.flush()
