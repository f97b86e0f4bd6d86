"""For authors of commands of `msp`: the arguments that say which service a command is about.

`render_json` writes an attrs class as JSON, for `--format json`.

    def configure(parser: argparse.ArgumentParser) -> None:
        add_service_arguments(parser)
        add_format(parser, "text", "json")

    def run(arguments: argparse.Namespace) -> int:
        chosen = ServiceArguments.of(arguments)
        assembly = chosen.assemble(chosen.find(), os.environ)
        …

    Command(name="example", help="…", configure=configure, run=run)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

from msp_core._text.records import render_json
from msp_core.assembly import Assembly, assemble
from msp_core.services import find_service

__all__ = [
    "ServiceArguments",
    "add_format",
    "add_service_arguments",
    "render_json",
    "service_name",
]


@attrs.frozen(kw_only=True)
class ServiceArguments:
    """Which service, and what it declares where metadata does not.

    Attributes:
        name: entry point or `module:Class`; None for the only one installed.
        plugins: names that replace the declaration; None without.
        distribution: the service's; None to find it.
    """

    name: str | None
    plugins: tuple[str, ...] | None
    distribution: str | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> ServiceArguments:
        """Return what was parsed."""
        return cls(
            name=arguments.name, plugins=arguments.plugins, distribution=arguments.distribution
        )

    def find(self, environ: Mapping[str, str] | None = None) -> object:
        """Import the service and return it.

        `module:Class` is looked for in the current folder too, as `python -m` does.

        Args:
            environ: as for `find_service`.

        Raises:
            UsageError: there is no such service, or several and no name.
        """
        folder = str(Path.cwd())
        if self.name is not None and ":" in self.name and folder not in sys.path:
            sys.path.insert(0, folder)
        return find_service(self.name, environ)

    def assemble(self, service: object, environ: Mapping[str, str]) -> Assembly:
        """Return the service with its plugins loaded and these variables read.

        Raises:
            PluginError: a declared plugin is missing, broken or does not fit.
            UsageError: it is no service.
        """
        return assemble(service, environ, plugins=self.plugins, distribution=self.distribution)


def service_name(service: object) -> str:
    """Return the service's name, its class's while it has none."""
    return str(getattr(service, "name", type(service).__name__))


def add_service_arguments(parser: argparse.ArgumentParser, *, more: str = "") -> None:
    """Add NAME, `--plugins` and `--distribution`.

    Args:
        parser: of the command.
        more: what else NAME may be, as the help says it. Default nothing.
    """
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="the service: the name it is installed under, or module:Class; may be left out when "
        f"exactly one is installed{more}",
    )
    parser.add_argument(
        "--plugins",
        type=_names,
        metavar="A,B",
        help="names of the plugins to load instead of the declared ones, for a script without "
        "metadata",
    )
    parser.add_argument(
        "--distribution",
        metavar="DIST",
        help="the distribution that the service belongs to, where no entry point tells it",
    )


def add_format(
    parser: argparse.ArgumentParser, *formats: str, printed: str = "what is printed"
) -> None:
    """Add `--format`.

    Args:
        parser: of the command.
        formats: names; the first is the default.
        printed: what has the format, as the help says it.
    """
    parser.add_argument(
        "--format",
        choices=formats,
        default=formats[0],
        help=f"the format of {printed}; the default is %(default)s",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
