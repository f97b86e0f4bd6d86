"""The command `msp dev`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import attrs

from msp_core.commands import ServiceArguments, add_format, add_service_arguments
from msp_core.contract import ServiceContract
from msp_core.dev import DATA_FOLDER, DevResources, refuse_on_platform
from msp_core.hookspecs import hookimpl
from msp_core.integration import Command
from msp_core.runtime import run
from msp_dev._banner import left_running, ready_banner, table
from msp_dev._beside import WORDS, run_beside
from msp_dev._data import prepare
from msp_dev._environ import laptop_environ
from msp_dev._plan import Plan
from msp_dev._port import FIRST, choose_port

_Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@hookimpl
def msp_commands() -> list[Command]:
    """Add `msp dev`."""
    return [
        Command(
            name="dev",
            help="run a service on this machine, on embedded resources",
            configure=_configure,
            run=lambda arguments: _run(arguments, os.environ),
        )
    ]


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(
        parser,
        more=". Or, about what runs already: env prints its variables; psql, redis open a client",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget the data that embedded resources kept"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA_FOLDER,
        metavar="FOLDER",
        help="where embedded resources keep their data; default %(default)s",
    )
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        help=f"port to listen on, in place of PORT; default {FIRST}, or the next that is free",
    )
    add_format(parser, "dotenv", "json", printed="what env prints")
    parser.add_argument(
        "argv",
        nargs="*",
        metavar="ARGUMENT",
        help="the service's or the client's own, after --",
    )


def _run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the service between start and stop of its dev resources; return its exit code."""
    began = time.monotonic()
    refuse_on_platform(environ)
    if arguments.name in WORDS:
        return run_beside(arguments)
    # Until a resource starts nothing has to be stopped, and no import copes with an exception.
    with _on_stop_signals(signal.SIG_DFL):
        chosen = ServiceArguments.of(arguments)
        service = chosen.find()
        assembly = chosen.assemble(service, environ)
        plan = Plan.of(assembly, arguments.data)
        if assembly.kind == "service":
            environ, note = choose_port(arguments.port, environ)
            plan = attrs.evolve(plan, environ=environ)
            _say(note)
        prepare(arguments.data)
        moments = (began, time.monotonic())
        try:
            with _on_stop_signals(_interrupt):
                return _run_on_resources(service, plan, arguments, moments)
        except KeyboardInterrupt:
            # Before or after the service's own run. What is still there is stopped by its guard.
            return 0


def _run_on_resources(
    service: object, plan: Plan, arguments: argparse.Namespace, moments: Sequence[float]
) -> int:
    chosen = ServiceArguments.of(arguments)
    resources = DevResources(plan.resources, plan.data)
    if arguments.fresh:
        resources.forget()
    with resources:
        moments = (*moments, time.monotonic())
        _say(table(plan.rows(resources.variables)))
        code = run(
            service,
            environ=laptop_environ(plan.environ, resources.environ),
            plugins=chosen.plugins,
            distribution=chosen.distribution,
            argv=arguments.argv,
            on_ready=lambda contract: _say_ready(contract, resources, *moments),
        )
    _say(left_running(resources.left_running))
    return code


@contextmanager
def _on_stop_signals(handler: _Handler) -> Iterator[None]:
    """Let SIGTERM, SIGINT and SIGHUP do one thing while the service does not handle them."""
    stop_signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in stop_signals}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say_ready(contract: ServiceContract, resources: DevResources, *moments: float) -> None:
    _say(ready_banner(contract.port, resources.variables, (*moments, time.monotonic())))


def _say(text: str) -> None:
    if text:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
