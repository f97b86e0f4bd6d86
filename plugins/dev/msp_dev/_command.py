"""The command `msp dev`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from msp_core.assembly import assemble
from msp_core.contract import ServiceContract
from msp_core.dev import DevResources, refuse_on_platform
from msp_core.hookspecs import hookimpl
from msp_core.integration import Command
from msp_core.runtime import run
from msp_core.services import find_service
from msp_dev._banner import ready, table
from msp_dev._environ import laptop_environ
from msp_dev._plan import Plan

_DATA = Path(".msp")


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
    parser.add_argument("name", nargs="?", help="service; may be left out when only one exists")
    parser.add_argument(
        "--fresh", action="store_true", help="forget the data that embedded resources kept"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=_DATA,
        metavar="FOLDER",
        help="where embedded resources keep their data; default %(default)s",
    )


def _run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the service between start and stop of its dev resources; return its exit code."""
    began = time.monotonic()
    refuse_on_platform(environ)
    service = find_service(arguments.name)
    plan = Plan.of(assemble(service, environ), arguments.data)
    planned = time.monotonic()
    resources = DevResources(plan.resources, arguments.data)
    try:
        with _stop_signals_raise():
            if arguments.fresh:
                resources.forget()
            with resources:
                started = time.monotonic()
                _say(table(plan.rows(resources.variables)))
                return run(
                    service,
                    environ=laptop_environ(environ, resources.environ),
                    on_ready=lambda contract: _say_ready(
                        contract, resources, began, planned, started
                    ),
                )
    except KeyboardInterrupt:
        # Before or after the service's own run. What is still there is stopped by its guard.
        return 0


@contextmanager
def _stop_signals_raise() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what SIGINT does, while the service does not handle them."""
    stop_signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in stop_signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say_ready(contract: ServiceContract, resources: DevResources, *moments: float) -> None:
    _say(ready(contract.port, resources.variables, (*moments, time.monotonic())))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
