"""Why the contract has no client of some type, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from msp_core._plugins.declaration import CORE, PLUGINS, Declaration
from msp_core.assembly._integrations import AssembledIntegration


def why_missing(
    integrations: Sequence[AssembledIntegration],
    declaration: Declaration,
    near_misses: Sequence[str],
    client: type,
) -> str:
    """Return one sentence: not configured and which variable, or not declared and which line.

    Args:
        integrations: of the declared plugins.
        declaration: of the service.
        near_misses: sentences about variables that may be misspelt.
        client: that the contract was asked for.
    """
    asked = f"contract[{client.__qualname__}]"
    for integration in integrations:
        if integration.record.client is client:
            return f"{asked}: {_why_not_open(integration, near_misses)}"
    return f"{asked}: {why_undeclared(declaration, client)}"


def _why_not_open(integration: AssembledIntegration, near_misses: Sequence[str]) -> str:
    name = integration.record.name
    if integration.configured:
        return f"{name!r} is not open: resources are opened in declared order, and closed at stop"
    needed = [str(group) for group in integration.needs]
    text = f"{name!r} is declared but not configured: set {' and '.join(needed)}"
    hints = [hint for hint in near_misses if any(name in hint for name in needed)]
    return "; ".join([text, *hints])


def why_undeclared(declaration: Declaration, client: type) -> str:
    """Return one clause: which line to add where, or that no installed plugin has such a client."""
    from msp_core._plugins.installed import entry_points  # noqa: PLC0415 - slow, only for an error

    package = client.__module__.partition(".")[0]
    where = declaration.distribution
    place = f"the dependencies in the pyproject.toml of {where}" if where else "`plugins=`"
    for entry in entry_points(PLUGINS):
        if entry.module.partition(".")[0] == package and entry.dist is not None:
            wanted = entry.name if where is None else _requirement(entry.name, entry.dist.name)
            return f"plugin {entry.name!r} is not declared: add {wanted!r} to {place}"
    return f"no installed plugin provides {client.__module__}.{client.__qualname__}"


def _requirement(plugin: str, distribution: str) -> str:
    """Return how to ask for a plugin: by the core's extra where the core has one."""
    from msp_core._plugins.installed import core_extras  # noqa: PLC0415 - slow, only for an error

    return f"{CORE}[{plugin}]" if plugin in core_extras() else distribution
