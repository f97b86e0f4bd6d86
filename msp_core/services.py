"""Services that are installed: the entry points of group `msp.services`."""

from __future__ import annotations

import functools
import importlib
import json
import os
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from msp_core._plugins.cache import DeclarationCache
from msp_core._plugins.declaration import SERVICES, split_reference
from msp_core._plugins.resolution import resolve
from msp_core.config._near_miss import closest
from msp_core.errors import UsageError

if TYPE_CHECKING:  # slow; a start with a kept answer needs none of it
    from importlib_metadata import EntryPoint, IDistribution

GROUP: str = SERVICES


def services() -> tuple[EntryPoint, ...]:
    """Return the entry points of all installed services and jobs, by name; imports none of them."""
    from msp_core._plugins.installed import entry_points  # noqa: PLC0415 - slow

    return entry_points(GROUP)


def distribution_of(service: object) -> IDistribution | None:
    """Return the distribution that lists this service, or its package, under `msp.services`.

    Returns:
        None when none lists it, as for a class in a script.

    Raises:
        UsageError: several distributions list services of the same package.
    """
    from msp_core._plugins import installed  # noqa: PLC0415 - slow

    return installed.distribution_of(service)


def find_service(name: str | None = None, environ: Mapping[str, str] | None = None) -> object:
    """Import a service and return it; a class is called without arguments.

    Args:
        name: an entry point's name, or `module:Class`. Default: the only service installed.
        environ: the variables, which may turn off that the answer is kept; default `os.environ`.

    Raises:
        UsageError: there is no such service, or several and no name.
        PluginError: the service cannot be imported because a plugin it declares is not installed;
            whatever else its own code raises comes through as it is.
    """
    if name is not None and ":" in name:
        module, _, attribute = name.partition(":")
        return _import_object(module, attribute, subject=f"service {name!r}")
    chosen, value = _reference(name, os.environ if environ is None else environ)
    return _import_object(*split_reference(value), subject=f"service {chosen!r}")


def _reference(name: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return name and value of a service's entry point, from an earlier start or from metadata."""
    cache = DeclarationCache.of(environ)
    question = json.dumps([name])
    kept = cache.find(question, _pair) if cache is not None else None
    if kept is not None:
        return kept
    from msp_core._plugins.installed import metadata_folder  # noqa: PLC0415 - slow

    found = _choose(name)
    if cache is not None:
        answer = {"name": found.name, "value": found.value}
        cache.keep(question, answer, [metadata_folder(found.dist)])
    return found.name, found.value


def _pair(record: Mapping[str, str]) -> tuple[str, str]:
    return record["name"], record["value"]


def _choose(name: str | None) -> EntryPoint:
    from msp_core._plugins import installed  # noqa: PLC0415 - slow

    found = None if name is None else installed.find_service(name)
    if found is not None:
        return found
    listed = {entry.name: entry for entry in services()}
    if name is None and len(listed) == 1:
        return next(iter(listed.values()))
    raise UsageError(_not_chosen(name, list(listed)))


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


def _import_object(module_name: str, attribute: str, *, subject: str) -> object:
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
    from msp_core._plugins.installed import lists_package  # noqa: PLC0415 - slow, only for an error

    for entry in services():
        if lists_package(entry, package) and entry.dist is not None:
            resolve(None, distribution=entry.dist.name)
