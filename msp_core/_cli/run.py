"""`msp run`, `msp job`: start a service or a job, as its own `__main__` would.

`--format json` prints one object per line on stdout, beside the log on stderr:

    {"event": "ready", "name": str, "version": str, "port": int}
    {"event": "stopped", "name": str, "exit_code": int}

`ready` is left out when the service never was, and for a job.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping

from msp_core.commands import ServiceArguments, add_format, add_service_arguments, service_name
from msp_core.contract import ServiceContract
from msp_core.integration import Command
from msp_core.runtime import expect_job
from msp_core.runtime import run as run_service


def run_command(environ: Mapping[str, str]) -> Command:
    """Return the command that runs both kinds; they are given these variables."""
    return _command(
        environ, name="run", text="start a service, or execute a job", configure=_configure_run
    )


def job_command(environ: Mapping[str, str]) -> Command:
    """Return the command that runs jobs only, given these variables."""
    return _command(
        environ, name="job", text="execute a job", configure=_configure, check=expect_job
    )


def _command(
    environ: Mapping[str, str],
    *,
    name: str,
    text: str,
    configure: Callable[[argparse.ArgumentParser], None],
    check: Callable[[object], None] = lambda _: None,
) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        chosen = ServiceArguments.of(arguments)
        service = chosen.find()
        check(service)
        events = arguments.format == "json"
        code = run_service(
            service,
            environ=_with_port(environ, arguments.port),
            plugins=chosen.plugins,
            distribution=chosen.distribution,
            argv=arguments.argv,
            on_ready=_say_ready if events else None,
            exits=True,
        )
        if events:
            _say(event="stopped", name=service_name(service), exit_code=code)
        return code

    return Command(name=name, help=text, configure=configure, run=run)


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    parser.set_defaults(port=None)  # a job has none
    add_format(parser, "text", "json")
    parser.add_argument(
        "argv",
        nargs="*",
        metavar="ARGUMENT",
        help="an argument for the service itself, after --; `-- --help` lists its variables",
    )


def _configure_run(parser: argparse.ArgumentParser) -> None:
    _configure(parser)
    parser.add_argument("--port", type=int, metavar="N", help="port to listen on, in place of PORT")


def _with_port(environ: Mapping[str, str], port: int | None) -> Mapping[str, str]:
    return environ if port is None else {**environ, "PORT": str(port)}


def _say_ready(contract: ServiceContract) -> None:
    _say(event="ready", name=contract.name, version=contract.version, port=contract.port)


def _say(**event: object) -> None:
    sys.stdout.write(f"{json.dumps(event)}\n")
    sys.stdout.flush()
