"""`msp plugins`: how far each plugin came, from installed to configured, and why not further.

`--format json` prints one object:

    {"service": str | null, "cached": bool | null,
     "plugins": [{"name": str, "distribution": str | null, "version": str | null,
                  "installed": bool, "declared": bool, "loaded": bool, "configured": bool,
                  "needed": bool,
                  "state": "missing" | "installed" | "declared" | "loaded" | "configured",
                  "reason": str,
                  "roles": [{"name": str, "purpose": str, "when": str | null}],
                  "apis": [{"name": str, "purpose": str, "when": str | null}]}]}

`service` is its name, null when none is given and there is not exactly one. `cached` says whether
what it declares was kept by an earlier start, as the line below a table does; null when there is
no service, or it cannot be assembled. `roles` and `apis` are what Google must grant and enable for
the plugin, empty for one that is not loaded; `when` is null for what is needed whenever the plugin
is configured. When the declared plugins cannot be loaded the same is printed, then the error on
stderr, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import attrs

from msp_core._plugins.resolution import examine
from msp_core._text.records import render_json
from msp_core._text.table import TextTable
from msp_core._text.terminal import Terminal
from msp_core.assembly._states import (
    PluginState,
    installed_states,
    plugin_states,
    states_before_assembly,
)
from msp_core.commands import ServiceArguments, add_format, add_service_arguments, service_name
from msp_core.errors import PluginError
from msp_core.integration import Command
from msp_core.services import services

_COLUMNS = ("plugin", "distribution", "version", "state", "reason")
_COLOURS = {"configured": "green", "loaded": "yellow", "declared": "red", "missing": "red"}


@attrs.frozen
class PluginReport:
    """What `--format json` prints.

    Attributes:
        service: its name; None when none is given and there is not exactly one.
        cached: whether what it declares was kept by an earlier start; None when there is no
            service, or it cannot be assembled.
        plugins: how far each came.
    """

    service: str | None
    cached: bool | None
    plugins: Sequence[PluginState]


def plugins_command(environ: Mapping[str, str]) -> Command:
    """Return the command; these variables decide what is configured."""

    def run(arguments: argparse.Namespace) -> int:
        chosen = ServiceArguments.of(arguments)
        terminal = Terminal.of(sys.stdout, environ)
        if chosen.name is None and len(services()) != 1:
            return _print(arguments.format, terminal, PluginReport(None, None, installed_states()))
        service = chosen.find(environ)
        name = service_name(service)
        try:
            assembly = chosen.assemble(service, environ)
        except PluginError:
            states = states_without_assembly(chosen, service)
            _print(arguments.format, terminal, PluginReport(name, None, states))
            raise
        report = PluginReport(name, assembly.declaration.cached, plugin_states(assembly))
        return _print(arguments.format, terminal, report)

    return Command(
        name="plugins",
        help="list plugins, and say how far each came and why not further",
        configure=_configure,
        run=run,
    )


def states_without_assembly(chosen: ServiceArguments, service: object) -> tuple[PluginState, ...]:
    """Return the states of the plugins of a service that could not be assembled."""
    return states_before_assembly(
        examine(service, plugins=chosen.plugins, distribution=chosen.distribution)
    )


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    add_format(parser, "table", "json")


def _print(chosen: str, terminal: Terminal, report: PluginReport) -> int:
    text = render_json(report) if chosen == "json" else _table(report, terminal)
    sys.stdout.write(f"{text}\n")
    return 0


def _table(report: PluginReport, terminal: Terminal) -> str:
    rows = [
        (state.name, state.distribution or "-", state.version or "-", state.state, state.reason)
        for state in report.plugins
    ]
    table = TextTable(header=_COLUMNS, rows=rows, terminal=terminal, colours=_COLOURS)
    source = {None: [], True: ["kept by an earlier start"], False: ["read from metadata"]}
    return "\n".join([*table.lines(), *(f"Declaration: {it}" for it in source[report.cached])])
