"""Services that are installed: the entry points of group `msp.services`."""

from __future__ import annotations

import functools
import importlib
from importlib.metadata import EntryPoint
from types import ModuleType

from msp_core._plugins.declaration import resolve
from msp_core._plugins.installed import GROUP, distribution_of, lists_package, services
from msp_core.config._near_miss import closest
from msp_core.errors import UsageError

__all__ = ["GROUP", "distribution_of", "find_service", "services"]


def find_service(name: str | None = None) -> object:
    """Import a service and return it; a class is called without arguments.

    Args:
        name: an entry point's name, or `module:Class`. Default: the only service installed.

    Raises:
        UsageError: there is no such service, or several and no name.
        PluginError: the service cannot be imported because a plugin it declares is not installed;
            whatever else its own code raises comes through as it is.
    """
    if name is not None and ":" in name:
        module, _, attribute = name.partition(":")
        return _imported(module, attribute, subject=f"service {name!r}")
    entry_point = _chosen(name)
    subject = f"service {entry_point.name!r}"
    return _imported(entry_point.module, entry_point.attr, subject=subject)


def _chosen(name: str | None) -> EntryPoint:
    installed = {entry.name: entry for entry in services()}
    if name is None and len(installed) == 1:
        return next(iter(installed.values()))
    if name in installed:
        return installed[name]
    raise UsageError(_not_chosen(name, list(installed)))


def _not_chosen(name: str | None, installed: list[str]) -> str:
    """Say why no service could be chosen, and what to do."""
    if not installed:
        what = "no service is installed" if name is None else f"no service is named {name!r}"
        return f"{what}: give it as module:Class, or list it under {GROUP} in its pyproject.toml"
    names = ", ".join(installed)
    if name is None:
        return f"several services are installed, {names}: say which one"
    close = closest(name, installed)
    hint = f"did you mean {close!r}? " if close else ""
    return f"no service is named {name!r}: {hint}installed are {names}; or give it as module:Class"


def _imported(module_name: str, attribute: str, *, subject: str) -> object:
    module: object = _module(module_name, subject)
    try:
        target = functools.reduce(getattr, filter(None, attribute.split(".")), module)
    except AttributeError:
        raise UsageError(f"{subject}: module {module_name!r} has no {attribute!r}") from None
    return target() if isinstance(target, type) else target


def _module(name: str, subject: str) -> ModuleType:
    """Import a module; what is missing *inside* it is the service's own error."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(f"{subject}: there is no module {name!r}") from None
        _refuse_missing_plugin(name.partition(".")[0])
        raise


def _refuse_missing_plugin(package: str) -> None:
    """Raise the better error when a service cannot be imported for want of a declared plugin."""
    for entry in services():
        if lists_package(entry, package) and entry.dist is not None:
            resolve(None, distribution=entry.dist.name)
