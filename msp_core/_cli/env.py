"""`msp env`: every variable a service reads, from the declarations that also load them.

`--format json` prints one object:

    {"service": {"name": str, "version": str, "kind": "service" | "job",
                 "distribution": str | null},
     "variables": [{"name": str, "owner": str, "type": str, "form": str, "choices": [str],
                    "required": bool, "default": str | null, "help": str, "secret": bool,
                    "forbidden_when_msp": bool, "empty_is_unset": bool,
                    "alone_is_unset": bool, "set": bool,
                    "group": {"choices": [[str]], "optional": bool} | null,
                    "schema": object}],
     "roles": [{"name": str, "purpose": str, "when": str | null, "owner": str}],
     "apis": [{"name": str, "purpose": str, "when": str | null, "owner": str}]}

`set` says whether the variable counts as set in this environment; a value is never printed. The
other keys are those of `msp_core.config.Variable`; only one that holds JSON has a `schema`.
`roles` and `apis` are what Google must grant and enable for the declared plugins, see `Role` and
`API` in `msp_core.integration`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

import attrs

from msp_core._text.records import render_json
from msp_core._text.terminal import Terminal
from msp_core.assembly import Assembly
from msp_core.commands import ServiceArguments, add_format, add_service_arguments
from msp_core.config._formats import (
    ListedVariable,
    list_variables,
    variable_dotenv,
    variable_markdown,
    variable_table,
)
from msp_core.config._json_schema import json_schema
from msp_core.integration import API, Command, Role


@attrs.frozen(kw_only=True)
class ServiceIdentity:
    """Which service.

    Attributes:
        name: of the service or job.
        version: its own.
        kind: `service` or `job`.
        distribution: that it belongs to; None when it is not known.
    """

    name: str
    version: str
    kind: str
    distribution: str | None


@attrs.frozen
class OwnedNeed:
    """What Google must grant or enable, and for whom.

    Attributes:
        name: of the role or API, as Google writes it.
        purpose: what it is for.
        when: in which case it is needed; None for always.
        owner: the plugin that needs it.
    """

    name: str
    purpose: str
    when: str | None
    owner: str


@attrs.frozen(kw_only=True)
class EnvReport:
    """What `--format json` prints.

    Attributes:
        service: the one that was asked for.
        variables: all it reads.
        roles: of Google's IAM that its plugins need.
        apis: of Google that its plugins call.
    """

    service: ServiceIdentity
    variables: tuple[ListedVariable, ...]
    roles: tuple[OwnedNeed, ...]
    apis: tuple[OwnedNeed, ...]


def env_command(environ: Mapping[str, str]) -> Command:
    """Return the command; it says of each variable whether it is among these."""

    def run(arguments: argparse.Namespace) -> int:
        chosen = ServiceArguments.of(arguments)
        assembly = chosen.assemble(chosen.find(environ), environ)
        sys.stdout.write(f"{_render(assembly, arguments.format)}\n")
        return 0

    return Command(
        name="env", help="list every variable that a service reads", configure=_configure, run=run
    )


def _configure(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)
    add_format(parser, "table", "dotenv", "markdown", "json", "json-schema")


def _render(assembly: Assembly, chosen: str) -> str:
    variables = assembly.variables
    match chosen:
        case "dotenv":
            return variable_dotenv(variables)
        case "markdown":
            return variable_markdown(variables)
        case "json-schema":
            title = f"variables of {assembly.service.name} {assembly.service.version}"
            return json.dumps(json_schema(title, variables), indent=2)
        case "json":
            return render_json(_report(assembly))
        case _:
            return variable_table(
                variables, assembly.environ, Terminal.of(sys.stdout, assembly.environ)
            )


def _report(assembly: Assembly) -> EnvReport:
    owned = [(each.plugin.owner, each.record) for each in assembly.integrations]
    return EnvReport(
        service=ServiceIdentity(
            name=assembly.service.name,
            version=assembly.service.version,
            kind=assembly.kind,
            distribution=assembly.declaration.distribution,
        ),
        variables=list_variables(assembly.variables, assembly.environ),
        roles=tuple(_need_of(role, owner) for owner, record in owned for role in record.roles),
        apis=tuple(_need_of(api, owner) for owner, record in owned for api in record.apis),
    )


def _need_of(need: Role | API, owner: str) -> OwnedNeed:
    return OwnedNeed(need.name, need.purpose, need.when, owner)
