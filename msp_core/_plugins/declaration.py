"""Declaration: the plugins a service asked for; none of them is imported yet."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Any

import attrs

from msp_core.errors import PluginError

# Groups of entry points.
PLUGINS = "msp.plugins"
SERVICES = "msp.services"

# The distribution whose extras stand for plugins, and how names of our plugins' begin.
CORE = "msp-core"
PREFIX = "msp-"


@attrs.frozen(kw_only=True)
class DeclaredPlugin:
    """A plugin that is installed and asked for; not imported yet.

    Attributes:
        name: of its entry point, such as `redis`.
        distribution: what provides it, such as `msp-redis`.
        version: of the distribution.
        entry_point: where its hooks are, such as `msp_redis` or `acme.plugins:kv`.
        reason: who asked for it: `required by guestbook through msp-core[redis]`.
        kind: what messages call it, `plugin`, or `command` for what adds one to `msp`.
    """

    name: str
    distribution: str
    version: str
    entry_point: str = attrs.field(repr=False)
    reason: str
    kind: str = "plugin"

    @property
    def source(self) -> str:
        """Distribution and version: `msp-redis 0.1.0`."""
        return f"{self.distribution} {self.version}"

    @property
    def owner(self) -> str:
        """The plugin as every message names it: `plugin 'redis', msp-redis 0.1.0`."""
        return f"{self.kind} {self.name!r}, {self.source}"

    def load(self) -> object:
        """Import what its entry point names; what that raises comes through."""
        module, attribute = split_reference(self.entry_point)
        names = filter(None, attribute.split("."))
        return functools.reduce(getattr, names, importlib.import_module(module))

    def error(self, clause: str) -> PluginError:
        """Return an error that names the plugin and says what is wrong with it, in one clause."""
        return PluginError(
            f"{self.owner}: {clause}",
            plugin=self.name,
            distribution=self.distribution,
            version=self.version,
            clause=clause,
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
        sources: folders of the metadata that says all this.
        cached: whether that metadata was not read now but at an earlier start.
    """

    distribution: str | None
    plugins: tuple[DeclaredPlugin, ...] = ()
    origin: str
    problems: tuple[PluginError, ...] = ()
    sources: tuple[str, ...] = attrs.field(default=(), repr=False, eq=False)
    cached: bool = attrs.field(default=False, eq=False)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Declaration:
        """Return the declaration that `to_record` made a record of.

        Raises:
            TypeError: the record lacks something, or has more.
        """
        plugins = tuple(DeclaredPlugin(**plugin) for plugin in record["plugins"])
        return cls(**{**record, "plugins": plugins}, cached=True)

    def to_record(self) -> dict[str, Any]:
        """Return what JSON can hold of a declaration without problems."""
        kept = attrs.filters.include("distribution", "origin")
        plugins = [attrs.asdict(plugin) for plugin in self.plugins]
        return {**attrs.asdict(self, filter=kept), "plugins": plugins}


def split_reference(value: str) -> tuple[str, str]:
    """Return module and attribute of an entry point's value; no attribute is an empty text."""
    module, _, attribute = value.partition("[")[0].partition(":")
    return module.strip(), attribute.strip()
