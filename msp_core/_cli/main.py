"""`msp` and `python -m msp_core`: the commands, and where an error becomes a code.

What a command answers goes to stdout, everything about it to stderr. A
terminal gets lines that fit, and colours where `msp_core._text.terminal` allows them.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from msp_core._cli.check import check_command
from msp_core._cli.env import env_command
from msp_core._cli.plugins import plugins_command
from msp_core._cli.run import job_command, run_command
from msp_core._life.exit_code import exit_code
from msp_core._logs.config import LogConfig
from msp_core._logs.tracebacks import fold_traceback, whole_traceback
from msp_core._plugins.command_hooks import extra_commands, load_command
from msp_core._plugins.declaration import DeclaredPlugin
from msp_core.config._loading import Loading
from msp_core.errors import MSPError, PluginError, UsageError
from msp_core.integration import Command

# Commands of our own other distributions, for who asks for one that is not installed.
_ELSEWHERE = {"dev": "msp-dev", "migrate": "msp-cloudsql"}

_BUILT_IN = (run_command, job_command, env_command, plugins_command, check_command)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Carry out a command line.

    Args:
        argv: arguments; default `sys.argv[1:]`.
        environ: variables for the built-in commands; default `os.environ`.

    Returns:
        The exit code: the command's own, or the error's: 1, 2 or 78. What the service's own code
        raises is printed, and 1.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        parser = _parser(given, os.environ if environ is None else environ)
        if not given:
            parser.print_help(sys.stderr)
            return UsageError.exit_code
        arguments, unknown = parser.parse_known_args(given)
        if unknown:
            # The command's own parser shows its usage; the one above it would show all commands.
            arguments.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        code: int = arguments.run(arguments)
    except MSPError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"msp: {line}\n")
        return exit_code(error)
    except Exception as error:  # noqa: BLE001 - the service's own, such as an import of it
        _print_failure(error, environ or os.environ)
        return 1
    return code


def _print_failure(error: Exception, environ: Mapping[str, str]) -> None:
    """Print a traceback that begins with the frames of the service, not with those of `msp`."""
    config = Loading(environ).section(LogConfig, "core") or LogConfig()
    printed = whole_traceback if config.root_level() <= logging.DEBUG else fold_traceback
    sys.stderr.write(f"{printed(type(error), error, error.__traceback__)}\n")


def _parser(argv: Sequence[str], environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msp", description="Run and examine services of the managed services platform."
    )
    parser.add_argument(
        "--version", action=_PrintVersion, nargs=0, help="show program's version number and exit"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _commands(argv, environ):
        text = _sentence(command.help)
        # A per cent sign in a help text, unlike one in a description, would be taken for a format.
        subparser = commands.add_parser(
            command.name, help=text.replace("%", "%%"), description=text
        )
        command.configure(subparser)
        _write_sentences(subparser)
        subparser.set_defaults(run=command.run, parser=subparser)
    _write_sentences(parser)
    return parser


class _PrintVersion(argparse.Action):
    """Print the version; it is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:  # noqa: ANN401 - argparse's own
        """Print it and leave."""
        from msp_core._plugins.installed import core  # noqa: PLC0415 - slow

        sys.stdout.write(f"msp {core().version}\n")
        parser.exit()


def _commands(argv: Sequence[str], environ: Mapping[str, str]) -> list[Command]:
    """Return the commands; of those of other distributions, the one asked for or all are imported.

    Raises:
        PluginError: the command asked for cannot be imported.
        UsageError: it is one of ours, and its distribution is not installed.
    """
    commands = [make(environ) for make in _BUILT_IN]
    asked = next((argument for argument in argv if not argument.startswith("-")), None)
    if asked in [command.name for command in commands]:
        return commands
    extra = extra_commands()
    if asked in _ELSEWHERE and asked not in extra:
        raise UsageError(
            f"command {asked!r} is not installed: run `pip install {_ELSEWHERE[asked]}`"
        )
    for name, provider in extra.items():
        if name == asked:
            commands.append(load_command(provider))
        elif asked is None:
            commands.append(_describe(provider))
        else:
            commands.append(_make_listed(name, f"from {provider.source}"))
    return commands


def _describe(provider: DeclaredPlugin) -> Command:
    """Return a command for the list of all; one that cannot be imported does not spoil the list."""
    try:
        return _make_listed(provider.name, load_command(provider).help)
    except PluginError:
        return _make_listed(provider.name, f"cannot be imported, from {provider.source}")


def _make_listed(name: str, text: str) -> Command:
    """Return a command that is shown in a list and never carried out."""
    return Command(name=name, help=text, configure=lambda _: None, run=lambda _: 0)


def _write_sentences(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list of them
        action.help = action.help and _sentence(action.help)


def _sentence(text: str) -> str:
    """Return a help text as a sentence, whoever wrote it."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
