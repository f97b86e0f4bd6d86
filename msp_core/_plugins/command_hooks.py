"""Commands that other distributions add to `msp`: the entry points of group `msp.commands`."""

from __future__ import annotations

from collections.abc import Mapping

from msp_core._plugins.declaration import Declaration, DeclaredPlugin
from msp_core._plugins.hooks import Plugins
from msp_core.integration import Command

GROUP = "msp.commands"


def extra_commands() -> Mapping[str, DeclaredPlugin]:
    """Return what provides each command, by name of the command; imports none of them.

    Raises:
        PluginError: two distributions list a command of one name.
    """
    from msp_core._plugins.installed import entry_points  # noqa: PLC0415 - slow

    found: dict[str, DeclaredPlugin] = {}
    listed = ((it.name, it.value, it.dist) for it in entry_points(GROUP) if it.dist is not None)
    for name, where, distribution in listed:
        provider = DeclaredPlugin(
            name=name,
            distribution=distribution.name,
            version=distribution.version,
            entry_point=where,
            reason=f"asked for by `msp {name}`",
            kind="command",
        )
        first = found.setdefault(name, provider)
        if first != provider:
            raise provider.error(f"is provided by {first.source} too: uninstall one of them")
    return found


def load_command(provider: DeclaredPlugin) -> Command:
    """Import what provides a command and return the command's record.

    Raises:
        PluginError: it cannot be imported, implements something that is no hook, or does not give
            the command.
    """
    alone = Declaration(distribution=None, plugins=(provider,), origin="")
    for command in Plugins.load(alone).commands():
        if command.name == provider.name:
            return command
    raise provider.error("msp_commands gives no Command of that name")
