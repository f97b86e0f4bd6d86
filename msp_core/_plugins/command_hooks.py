"""Commands that other distributions add to `msp`: the entry points of group `msp.commands`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pluggy

from msp_core._plugins.implementer import new_manager, register
from msp_core.errors import PluginError
from msp_core.hookspecs import PLUGIN_HOOKS
from msp_core.integration import Command

if TYPE_CHECKING:  # slow, and most commands are the core's own
    from importlib_metadata import EntryPoint

GROUP = "msp.commands"


def extra_commands() -> Mapping[str, EntryPoint]:
    """Return the entry points by name of the command; imports none of them.

    Raises:
        PluginError: two distributions list a command of one name.
    """
    from msp_core._plugins.installed import entry_points  # noqa: PLC0415 - slow

    found: dict[str, EntryPoint] = {}
    for entry in entry_points(GROUP):
        first = found.setdefault(entry.name, entry)
        if first != entry:
            raise _error(entry, f"is provided by {provider(first)} too: uninstall one of them")
    return found


def load_command(entry: EntryPoint) -> Command:
    """Import the module of a command and return the record its hook gives.

    Raises:
        PluginError: it cannot be imported, or does not give the command.
    """
    manager = new_manager()
    try:
        implementer = entry.load()
    except Exception as error:
        raise _error(entry, f"cannot be imported: {type(error).__name__}: {error}") from error
    fault = register(manager, implementer, name=entry.name, hooks=PLUGIN_HOOKS)
    if fault is not None:
        raise _error(entry, fault)
    for record in _records(manager, entry):
        if isinstance(record, Command) and record.name == entry.name:
            return record
    raise _error(entry, "msp_commands gives no Command of that name")


def _records(manager: pluggy.PluginManager, entry: EntryPoint) -> list[object]:
    try:
        results = manager.hook.msp_commands()
    except Exception as error:
        raise _error(entry, f"msp_commands raised {type(error).__name__}") from error
    return [record for result in results if isinstance(result, list | tuple) for record in result]


def provider(entry: EntryPoint) -> str:
    """Return distribution and version: `msp-dev 0.1.0`."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value


def _error(entry: EntryPoint, clause: str) -> PluginError:
    return PluginError(
        f"command {entry.name!r}, {provider(entry)}: {clause}",
        plugin=entry.name,
        distribution=entry.dist.name if entry.dist is not None else None,
        version=entry.dist.version if entry.dist is not None else None,
    )
