"""PluginState: how far each plugin came, from installed to configured, and why not further."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from msp_core._plugins.declaration import PLUGINS, Declaration, DeclaredPlugin
from msp_core._plugins.hooks import Plugins
from msp_core.assembly._assembly import Assembly
from msp_core.assembly._integrations import AssembledIntegration
from msp_core.errors import PluginError
from msp_core.integration import API, Integration, Role


@attrs.frozen(kw_only=True)
class PluginState:
    """How far one plugin came.

    Attributes:
        name: of the plugin.
        distribution: what provides it; None when unknown.
        version: of the distribution; None when it is not installed.
        declared: whether the service requires it.
        loaded: whether it was imported and its hooks fit.
        configured: whether the environment asks for what it provides.
        needed: whether the service says that it cannot do without.
        reason: why it came so far and not further, one sentence without the name.
        roles: of Google's IAM that its integration needs; known once it is loaded.
        apis: of Google that its integration calls; known once it is loaded.
        installed: whether its distribution is present.
        state: the furthest of `missing`, `installed`, `declared`, `loaded`, `configured`.
    """

    name: str
    distribution: str | None
    version: str | None
    declared: bool = False
    loaded: bool = False
    configured: bool = False
    needed: bool = False
    reason: str
    roles: tuple[Role, ...] = ()
    apis: tuple[API, ...] = ()
    installed: bool = attrs.field(init=False)
    state: str = attrs.field(init=False)

    @installed.default
    def _is_installed(self) -> bool:
        return self.version is not None

    @state.default
    def _furthest_state(self) -> str:
        if not self.installed:
            return "missing"
        reached = [name for name in ("declared", "loaded", "configured") if getattr(self, name)]
        return reached[-1] if reached else "installed"


def plugin_states(assembly: Assembly) -> tuple[PluginState, ...]:
    """Return the state of every plugin that an assembled service could have.

    Returns:
        The declared ones in declared order, then the others that are installed, by name.
    """
    return _states(assembly.declaration, lambda plugin: _state_of_assembled(assembly, plugin))


def states_before_assembly(declaration: Declaration) -> tuple[PluginState, ...]:
    """Return the state of every plugin of a service that cannot be assembled.

    Each declared plugin is imported by itself, so that one that is broken does not hide another.
    """
    return _states(declaration, _state_when_loaded)


def installed_states() -> tuple[PluginState, ...]:
    """Return the state of every installed plugin when there is no service to declare any."""
    return _states(Declaration(distribution=None, origin=""), _state_when_loaded)


def _states(
    declaration: Declaration, judge: Callable[[DeclaredPlugin], PluginState]
) -> tuple[PluginState, ...]:
    declared = [*map(judge, declaration.plugins), *map(_state_of_problem, declaration.problems)]
    taken = {(state.name, state.distribution) for state in declared}
    others = [
        state
        for state in _find_undeclared(declaration.origin)
        if (state.name, state.distribution) not in taken
    ]
    return (*declared, *others)


def _find_undeclared(origin: str) -> Iterator[PluginState]:
    from msp_core._plugins.installed import entry_points  # noqa: PLC0415 - slow, not needed to serve

    found = ((it.name, it.dist) for it in entry_points(PLUGINS) if it.dist is not None)
    for name, provider in found:
        why = f", not declared {origin}" if origin else "; no service was named"
        yield PluginState(
            name=name,
            distribution=provider.name,
            version=provider.version,
            reason=f"installed {provider.version}{why}",
        )


def _state_of_problem(problem: PluginError) -> PluginState:
    return PluginState(
        name=problem.plugin,
        distribution=problem.distribution,
        version=problem.version,
        declared=True,
        reason=problem.clause,
    )


def _state_when_loaded(plugin: DeclaredPlugin) -> PluginState:
    """Load one plugin alone and say what came of it."""
    alone = Declaration(distribution=None, plugins=(plugin,), origin="")
    try:
        records = [provided.record for provided in Plugins.load(alone).integrations()]
    except PluginError as problem:
        return _state(plugin, loaded=False, reason=f"not loaded because it {problem.clause}")
    reason = "loaded, its variables not read because another plugin cannot be"
    return _state(plugin, *records, reason=reason)


def _state_of_assembled(assembly: Assembly, plugin: DeclaredPlugin) -> PluginState:
    found = [each for each in assembly.integrations if each.plugin == plugin]
    if not found:
        return _state(plugin, configured=True, reason="provides nothing to configure")
    [integration] = found
    configured, needed = integration.enabled, integration.needed
    if configured:
        reason = _why_configured(assembly, integration)
    else:
        reason = f"not configured because {_why_not_configured(assembly, integration)}"
    if needed:
        reason = f"needed by the {assembly.kind}, {reason}"
    return _state(plugin, integration.record, configured=configured, needed=needed, reason=reason)


def _why_configured(assembly: Assembly, integration: AssembledIntegration) -> str:
    names = integration.asked_by(assembly.environ)
    return f"configured by {', '.join(names)}" if names else "configured, needs no variable"


def _why_not_configured(assembly: Assembly, integration: AssembledIntegration) -> str:
    wrong = [
        problem.clause
        for problem in (*assembly.problems, *integration.ignored)
        if problem.owner == integration.plugin.owner
    ]
    return "; ".join(wrong) or f"{_name_unset(integration)} set"


def _name_unset(integration: AssembledIntegration) -> str:
    """Return the subject and verb of "… set": `A is not`, `neither A nor B with C is`."""
    choices = [choice for group in integration.needs for choice in group.choices]
    names = [" with ".join(choice) for choice in choices]
    return f"{names[0]} is not" if len(names) == 1 else f"neither {' nor '.join(names)} is"


def _state(
    plugin: DeclaredPlugin,
    *records: Integration[Any, Any],
    loaded: bool = True,
    configured: bool = False,
    needed: bool = False,
    reason: str,
) -> PluginState:
    return PluginState(
        name=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        declared=True,
        loaded=loaded,
        configured=configured,
        needed=needed,
        reason=f"{plugin.reason}, {reason}",
        roles=tuple(role for record in records for role in record.roles),
        apis=tuple(api for record in records for api in record.apis),
    )
