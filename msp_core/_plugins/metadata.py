"""What a service declares, as the metadata says that is installed here; nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs
from packaging.requirements import Requirement

from msp_core._plugins.declaration import CORE, PLUGINS, PREFIX, Declaration, DeclaredPlugin
from msp_core._plugins.installed import (
    core,
    distribution_of,
    entry_points,
    find_distribution,
    metadata_folder,
)
from msp_core._plugins.requirements import Need, UnknownExtra, accepted_core, needs
from msp_core.errors import PluginError, UsageError

if TYPE_CHECKING:  # its older releases have no such name
    from importlib_metadata import IDistribution

Found = Iterator[DeclaredPlugin | PluginError]


def examine(
    service: object, *, plugins: Sequence[str] | None = None, distribution: str | None = None
) -> Declaration:
    """Return what `resolve` returns, with problems gathered instead of raised."""
    examination = _Examination.begin()
    if plugins is not None:
        found = examination.find_named(plugins)
        return examination.declaration(found, distribution, origin="in plugins=")
    own = distribution_of(service) if distribution is None else _get_distribution(distribution)
    if own is None:
        nowhere = "anywhere: no installed distribution lists the service under msp.services"
        return examination.declaration((), None, origin=nowhere)
    origin = f"in the dependencies of {own.name}"
    return examination.declaration(examination.find_required(own), own.name, origin=origin)


@attrs.frozen
class _Examination:
    """One look at what is installed.

    Attributes:
        core: version of the core.
        read: the distributions whose metadata was read.
    """

    core: str
    read: list[IDistribution]

    @classmethod
    def begin(cls) -> _Examination:
        """Look at the core, which is part of every answer."""
        own = core()
        return cls(own.version, [own])

    def declaration(
        self, found: Iterable[DeclaredPlugin | PluginError], name: str | None, *, origin: str
    ) -> Declaration:
        """Sort what was found into plugins and problems; of one plugin found twice keep the first.

        Args:
            found: in order.
            name: of the service's distribution.
            origin: where to declare one more.
        """
        plugins: dict[str, DeclaredPlugin] = {}
        problems: list[PluginError] = []
        for one in found:
            if isinstance(one, PluginError):
                problems.append(one)
            elif plugins.setdefault(one.name, one).distribution != one.distribution:
                problems.append(_same_name_error(plugins[one.name], one))
        return Declaration(
            distribution=name,
            plugins=tuple(plugins.values()),
            origin=origin,
            problems=tuple(problems),
            sources=tuple(map(metadata_folder, self.read)),
        )

    def find_required(self, service: IDistribution) -> Found:
        """Yield what the service's distribution provides itself, then what it requires."""
        yield from self._find_provided(service, f"provided by {service.name} itself")
        for need in needs(service):
            if isinstance(need, UnknownExtra):
                yield _unknown_extra(need)
                continue
            provider = find_distribution(need.distribution)
            if provider is not None:
                yield from self._find_provided(provider, need.reason, need.requirement)
            elif need.distribution.startswith(PREFIX):
                yield _not_installed(need)

    def find_named(self, names: Iterable[str]) -> Found:
        """Yield the plugins of these names, whoever provides them."""
        installed = entry_points(PLUGINS)
        for name in names:
            listed = [entry for entry in installed if entry.name == name]
            providers = [entry.dist for entry in listed if entry.dist is not None]
            if not providers:
                clause = (
                    "given in plugins= but no installed distribution provides it:"
                    f" run `pip install {PREFIX}{name}`"
                )
                yield PluginError(f"plugin {name!r} is {clause}", plugin=name, clause=clause)
            for provider in providers:
                found = self._find_provided(provider, "given in plugins=")
                yield from (one for one in found if _plugin_name(one) == name)

    def _find_provided(
        self, provider: IDistribution, reason: str, requirement: Requirement | None = None
    ) -> Found:
        self.read.append(provider)
        for entry_point in provider.entry_points.select(group=PLUGINS):
            metadata = provider.metadata  # parsed each time it is asked for
            plugin = DeclaredPlugin(
                name=entry_point.name,
                distribution=metadata["Name"],
                version=metadata["Version"],
                entry_point=entry_point.value,
                reason=reason,
            )
            yield self._check_versions(plugin, provider, requirement) or plugin

    def _check_versions(
        self, plugin: DeclaredPlugin, provider: IDistribution, requirement: Requirement | None
    ) -> PluginError | None:
        """Judge from metadata whether plugin and core accept each other's version."""
        for accepted in accepted_core(provider):
            if not accepted.specifier.contains(self.core, prereleases=True):
                needed = f"{CORE}{accepted.specifier}"
                return plugin.error(
                    f"needs {needed} but {self.core} is installed: upgrade one of them"
                )
        if requirement and not requirement.specifier.contains(plugin.version, prereleases=True):
            needed = f"{plugin.distribution}{requirement.specifier}"
            return plugin.error(
                f"does not fit, {needed} is {plugin.reason}: run `pip install '{needed}'`"
            )
        return None


def _get_distribution(name: str) -> IDistribution:
    found = find_distribution(name)
    if found is None:
        raise UsageError(f"distribution {name!r} is not installed: run `pip install {name}`")
    return found


def _plugin_name(one: DeclaredPlugin | PluginError) -> str:
    return one.plugin if isinstance(one, PluginError) else one.name


def _not_installed(need: Need) -> PluginError:
    name = need.distribution.removeprefix(PREFIX)
    clause = (
        f"{need.reason} but {need.distribution} is not installed:"
        f" run `pip install {need.distribution}`"
    )
    return PluginError(
        f"plugin {name!r} is {clause}", plugin=name, distribution=need.distribution, clause=clause
    )


def _unknown_extra(extra: UnknownExtra) -> PluginError:
    return PluginError(
        f"{CORE}[{extra.name}] is {extra.reason} but {CORE} has no extra {extra.name!r}:"
        f" it has {', '.join(extra.known)}",
        plugin=extra.name,
    )


def _same_name_error(first: DeclaredPlugin, second: DeclaredPlugin) -> PluginError:
    return second.error(f"has the name of {first.owner}: declare one of them, not both")
