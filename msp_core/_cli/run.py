"""`msp run`, `msp job`: start a service or a job, as its own `__main__` would.

`--format json` prints one object per line on stdout, beside the log on stderr:

    {"event": "ready", "name": str, "version": str, "port": int}
    {"event": "costs", "parts": [{"name": str, "seconds": float, "memory": int}],
     "imports": [{"name": str, "seconds": float, "modules": int}]}
    {"event": "stopped", "name": str, "exit_code": int}

`ready` is left out when the service never was, and for a job; `costs` as well, and without
`--profile-start`, which prints a table otherwise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

import attrs

from msp_core._cli.costs_table import costs_table
from msp_core._start.collector import postpone_collections
from msp_core._start.costs import Part
from msp_core._start.import_watch import ImportedPackage, ImportWatch
from msp_core._text.records import load_converter, render_json
from msp_core._text.terminal import Terminal
from msp_core.commands import ServiceArguments, add_format, add_service_arguments, service_name
from msp_core.contract import ServiceContract
from msp_core.integration import Command
from msp_core.runtime import expect_job
from msp_core.runtime import run as run_service


@attrs.frozen(kw_only=True)
class ReadyEvent:
    """The service takes requests.

    Attributes:
        event: which event it is.
        name: of the service.
        version: of the service.
        port: that it listens on.
    """

    event: str = attrs.field(default="ready", init=False)
    name: str
    version: str
    port: int


@attrs.frozen(kw_only=True)
class CostsEvent:
    """What the start took.

    Attributes:
        event: which event it is.
        parts: of the start, in order; the last one is all of it.
        imports: the packages that took longest to import, longest first.
    """

    event: str = attrs.field(default="costs", init=False)
    parts: Sequence[Part]
    imports: Sequence[ImportedPackage]


@attrs.frozen(kw_only=True)
class StoppedEvent:
    """The process is about to leave.

    Attributes:
        event: which event it is.
        name: of the service or job.
        exit_code: that it leaves with.
    """

    event: str = attrs.field(default="stopped", init=False)
    name: str
    exit_code: int


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
        postpone_collections()
        profiled = arguments.profile_start
        if profiled:
            ImportWatch.install()
        chosen = ServiceArguments.of(arguments)
        service = chosen.find(environ)
        check(service)
        events = arguments.format == "json"
        if events:
            load_converter()  # now: the first event is printed while requests are already served
        code = run_service(
            service,
            environ=_with_port(environ, arguments.port),
            plugins=chosen.plugins,
            distribution=chosen.distribution,
            argv=arguments.argv,
            on_ready=_on_ready(environ, events=events, profiled=profiled),
            exits=True,
        )
        if events:
            _say(StoppedEvent(name=service_name(service), exit_code=code))
        return code

    return Command(name=name, help=text, configure=configure, run=run)


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    parser.set_defaults(port=None, profile_start=False)  # a job has neither
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
    parser.add_argument(
        "--profile-start",
        action="store_true",
        help="print what the parts of the start took, in time and memory, and the heaviest imports",
    )


def _with_port(environ: Mapping[str, str], port: int | None) -> Mapping[str, str]:
    return environ if port is None else {**environ, "PORT": str(port)}


def _on_ready(
    environ: Mapping[str, str], *, events: bool, profiled: bool
) -> Callable[[ServiceContract], None] | None:
    """Return what to call when the service is ready; None where nothing is to be printed."""
    if not events and not profiled:
        return None

    def say(contract: ServiceContract) -> None:
        costs = contract.opened.costs
        if events:
            _say(ReadyEvent(name=contract.name, version=contract.version, port=contract.port))
        if profiled and costs is not None:
            if events:
                _say(CostsEvent(parts=costs.parts, imports=costs.imports))
            else:
                sys.stdout.write(f"{costs_table(costs, Terminal.of(sys.stdout, environ))}\n")
                sys.stdout.flush()

    return say


def _say(event: ReadyEvent | CostsEvent | StoppedEvent) -> None:
    sys.stdout.write(f"{render_json(event, indent=None)}\n")
    sys.stdout.flush()
