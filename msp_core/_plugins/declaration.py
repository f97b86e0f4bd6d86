"""Declaration: the plugins a service asked for, resolved without importing any of them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, EntryPoint

import attrs
from packaging.requirements import Requirement

from msp_core._plugins.installed import distribution_of
from msp_core._plugins.requirements import (
    CORE,
    Need,
    UnknownExtra,
    accepted_core,
    find_distribution,
    needs,
)
from msp_core.errors import PluginError, UsageError

GROUP = "msp.plugins"
PREFIX = "msp-"


@attrs.frozen(kw_only=True)
class DeclaredPlugin:
    """A plugin that is installed and asked for; not imported yet.

    Attributes:
        name: of its entry point, such as `redis`.
        distribution: what provides it, such as `msp-redis`.
        version: of the distribution.
        entry_point: where its hooks are.
        reason: who asked for it: `required by guestbook through msp-core[redis]`.
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint = attrs.field(repr=False)
    reason: str

    @property
    def owner(self) -> str:
        """The plugin as every message names it: `plugin 'redis', msp-redis 0.1.0`."""
        return f"plugin {self.name!r}, {self.distribution} {self.version}"

    def error(self, clause: str) -> PluginError:
        """Return an error that names the plugin and says what is wrong with it, in one clause."""
        return PluginError(
            f"{self.owner}: {clause}",
            plugin=self.name,
            distribution=self.distribution,
            version=self.version,
        )


@attrs.frozen(kw_only=True)
class Declaration:
    """What a service declared.

    Attributes:
        distribution: the service's own, such as `guestbook`; None when it has none, or when the
            plugins were given by name.
        plugins: in order of the metadata, extras of one line in alphabetical order; or as given.
        origin: where to declare one more, completing "not declared …".
        problems: what is declared but cannot be loaded; `resolve` raises them.
    """

    distribution: str | None
    plugins: tuple[DeclaredPlugin, ...] = ()
    origin: str
    problems: tuple[PluginError, ...] = ()


def resolve(
    service: object, *, plugins: Sequence[str] | None = None, distribution: str | None = None
) -> Declaration:
    """Return the plugins a service declared; imports nothing.

    Args:
        service: its class tells the distribution, through the entry points of `msp.services`.
        plugins: names that replace the declaration, for a script without metadata.
        distribution: the service's distribution, when entry points do not tell it.

    Raises:
        PluginError: a plugin is declared but not installed, or does not fit this core; several
            are reported in one error, one per line.
        UsageError: there is no such distribution, or the service belongs to several.
    """
    declaration = examine(service, plugins=plugins, distribution=distribution)
    if len(declaration.problems) == 1:
        raise declaration.problems[0]
    if declaration.problems:
        raise _joined(declaration.problems)
    return declaration


def examine(
    service: object, *, plugins: Sequence[str] | None = None, distribution: str | None = None
) -> Declaration:
    """Return what `resolve` returns, with problems gathered instead of raised."""
    if plugins is not None:
        return _declaration(_named(plugins), distribution, origin="in plugins=")
    found = distribution_of(service) if distribution is None else _given(distribution)
    if found is None:
        return Declaration(
            distribution=None,
            origin="anywhere: no installed distribution lists the service under msp.services",
        )
    return _declaration(_required(found), found.name, origin=f"in the dependencies of {found.name}")


def installed_plugins() -> tuple[EntryPoint, ...]:
    """Return the entry points of all installed plugins, by name; imports none of them."""
    found = importlib.metadata.entry_points(group=GROUP)
    return tuple(sorted(found, key=lambda entry: entry.name))


def _given(name: str) -> Distribution:
    found = find_distribution(name)
    if found is None:
        raise UsageError(f"distribution {name!r} is not installed: run `pip install {name}`")
    return found


def _declaration(
    resolved: Iterable[DeclaredPlugin | PluginError], distribution: str | None, *, origin: str
) -> Declaration:
    """Sort what was found into plugins and problems; of one plugin found twice keep the first."""
    plugins: dict[str, DeclaredPlugin] = {}
    problems: list[PluginError] = []
    for one in resolved:
        if isinstance(one, PluginError):
            problems.append(one)
        elif plugins.setdefault(one.name, one).distribution != one.distribution:
            problems.append(_ambiguous(plugins[one.name], one))
    return Declaration(
        distribution=distribution,
        plugins=tuple(plugins.values()),
        origin=origin,
        problems=tuple(problems),
    )


def _required(service: Distribution) -> Iterator[DeclaredPlugin | PluginError]:
    """Yield what the service's distribution provides itself, then what it requires."""
    yield from _provided(service, f"provided by {service.name} itself")
    for need in needs(service):
        if isinstance(need, UnknownExtra):
            yield _unknown_extra(need)
            continue
        found = find_distribution(need.distribution)
        if found is not None:
            yield from _provided(found, need.reason, need.requirement)
        elif need.distribution.startswith(PREFIX):
            yield _not_installed(need)


def _provided(
    provider: Distribution, reason: str, requirement: Requirement | None = None
) -> Iterator[DeclaredPlugin | PluginError]:
    for entry_point in provider.entry_points.select(group=GROUP):
        plugin = DeclaredPlugin(
            name=entry_point.name,
            distribution=provider.name,
            version=provider.version,
            entry_point=entry_point,
            reason=reason,
        )
        yield _unfit(plugin, provider, requirement) or plugin


def _named(names: Iterable[str]) -> Iterator[DeclaredPlugin | PluginError]:
    installed = importlib.metadata.entry_points(group=GROUP)
    for name in names:
        providers = [entry.dist for entry in installed.select(name=name) if entry.dist is not None]
        if not providers:
            yield PluginError(
                f"plugin {name!r} is given in plugins= but no installed distribution provides it:"
                f" run `pip install {PREFIX}{name}`",
                plugin=name,
            )
        for provider in providers:
            found = _provided(provider, "given in plugins=")
            yield from (one for one in found if _plugin_name(one) == name)


def _plugin_name(one: DeclaredPlugin | PluginError) -> str:
    return one.plugin if isinstance(one, PluginError) else one.name


def _unfit(
    plugin: DeclaredPlugin, provider: Distribution, requirement: Requirement | None
) -> PluginError | None:
    """Judge from metadata whether plugin and core accept each other's version."""
    core = importlib.metadata.version(CORE)
    for accepted in accepted_core(provider):
        if not accepted.specifier.contains(core, prereleases=True):
            needed = f"{CORE}{accepted.specifier}"
            return plugin.error(f"needs {needed} but {core} is installed: upgrade one of them")
    if requirement and not requirement.specifier.contains(plugin.version, prereleases=True):
        needed = f"{plugin.distribution}{requirement.specifier}"
        return plugin.error(
            f"does not fit, {needed} is {plugin.reason}: run `pip install '{needed}'`"
        )
    return None


def _not_installed(need: Need) -> PluginError:
    name = need.distribution.removeprefix(PREFIX)
    return PluginError(
        f"plugin {name!r} is {need.reason} but {need.distribution} is not installed:"
        f" run `pip install {need.distribution}`",
        plugin=name,
        distribution=need.distribution,
    )


def _unknown_extra(extra: UnknownExtra) -> PluginError:
    return PluginError(
        f"{CORE}[{extra.name}] is {extra.reason} but {CORE} has no extra {extra.name!r}:"
        f" it has {', '.join(extra.known)}",
        plugin=extra.name,
    )


def _ambiguous(first: DeclaredPlugin, second: DeclaredPlugin) -> PluginError:
    return second.error(f"has the name of {first.owner}: declare one of them, not both")


def _joined(problems: Sequence[PluginError]) -> PluginError:
    return PluginError(
        "\n".join(str(problem) for problem in problems),
        plugin=", ".join(problem.plugin for problem in problems),
    )
