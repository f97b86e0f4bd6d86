"""`msp` and `python -m msp_core`: the commands, and where an error becomes a code.

What a command answers goes to stdout, everything said about it to stderr. Nothing is coloured.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Mapping, Sequence

from msp_core._cli_check import check_command
from msp_core._cli_env import env_command
from msp_core._cli_extra import extra_commands, load_command, provider
from msp_core._cli_plugins import plugins_command
from msp_core._cli_run import job_command, run_command
from msp_core._exit_code import exit_code
from msp_core._requirements import CORE
from msp_core.errors import MSPError
from msp_core.integration import Command

_BUILT_IN = (run_command, job_command, env_command, plugins_command, check_command)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Carry out a command line.

    Args:
        argv: arguments; default `sys.argv[1:]`.
        environ: variables for the built-in commands; default `os.environ`.

    Returns:
        The exit code: the command's own, or the error's: 1, 2 or 78.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        parser = _parser(given, os.environ if environ is None else environ)
        arguments = parser.parse_args(given)
        code: int = arguments.run(arguments)
    except MSPError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"msp: {line}\n")
        return exit_code(error)
    return code


def _parser(argv: Sequence[str], environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msp", description="Run and examine services of the managed services platform."
    )
    parser.add_argument(
        "--version", action="version", version=f"msp {importlib.metadata.version(CORE)}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _commands(argv, environ):
        # A per cent sign in a help text would be taken for a format.
        text = command.help.replace("%", "%%")
        subparser = commands.add_parser(command.name, help=text, description=text)
        command.configure(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _commands(argv: Sequence[str], environ: Mapping[str, str]) -> list[Command]:
    """Return the commands; of those of other distributions only the one asked for is imported."""
    commands = [make(environ) for make in _BUILT_IN]
    asked = next((argument for argument in argv if not argument.startswith("-")), None)
    if asked in [command.name for command in commands]:
        return commands
    for name, entry in extra_commands().items():
        if name == asked:
            commands.append(load_command(entry))
        else:
            commands.append(_listed(name, f"from {provider(entry)}"))
    return commands


def _listed(name: str, text: str) -> Command:
    """Return a command that is shown in a list and never carried out."""
    return Command(name=name, help=text, configure=lambda _: None, run=lambda _: 0)
