"""The arguments by which every command of `msp` says which service it is about."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

from msp_core._plugins.declaration import examine
from msp_core.assembly import Assembly, assemble
from msp_core.assembly._states import PluginState, states_before_assembly
from msp_core.services import find_service


@attrs.frozen(kw_only=True)
class ServiceArguments:
    """Which service, and what it declares where metadata does not tell.

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

    def find(self) -> object:
        """Import the service and return it.

        `module:Class` is looked for in the current folder too, as `python -m` does.

        Raises:
            UsageError: there is no such service, or several and no name.
        """
        folder = str(Path.cwd())
        if self.name is not None and ":" in self.name and folder not in sys.path:
            sys.path.insert(0, folder)
        return find_service(self.name)

    def assemble(self, service: object, environ: Mapping[str, str]) -> Assembly:
        """Return the service with its plugins loaded and these variables read.

        Raises:
            PluginError: a declared plugin is missing, broken or does not fit.
            UsageError: it is no service.
        """
        return assemble(service, environ, plugins=self.plugins, distribution=self.distribution)

    def states(self, service: object) -> tuple[PluginState, ...]:
        """Return the states of the plugins of a service that could not be assembled."""
        return states_before_assembly(
            examine(service, plugins=self.plugins, distribution=self.distribution)
        )


def service_name(service: object) -> str:
    """Return the service's name, its class's while it has none."""
    return str(getattr(service, "name", type(service).__name__))


def identity(assembly: Assembly) -> dict[str, str | None]:
    """Return what every JSON output says about the service."""
    return {
        "name": assembly.service.name,
        "version": assembly.service.version,
        "kind": assembly.kind,
        "distribution": assembly.declaration.distribution,
    }


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Add NAME, `--plugins` and `--distribution`."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="the service: the name it is installed under, or module:Class; may be left out when "
        "exactly one is installed",
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


def add_format(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Add `--format`; the first is the default."""
    parser.add_argument(
        "--format",
        choices=formats,
        default=formats[0],
        help="the format of what is printed; the default is %(default)s",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
