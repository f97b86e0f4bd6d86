"""Implementer: an object with hook implementations, checked before any of them is called."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator

import pluggy

from msp_core import hookspecs
from msp_core.config._near_miss import closest


def register(
    manager: pluggy.PluginManager, implementer: object, *, name: str, hooks: Collection[str]
) -> str | None:
    """Make an object's hook implementations callable through the manager.

    Args:
        manager: one that knows the hookspecs.
        implementer: a plugin's module, or a service.
        name: unique in the manager.
        hooks: the ones it may implement.

    Returns:
        What is wrong with the object, one clause; None when it was registered.
    """
    fault = _find_misnamed(manager, implementer, hooks) or _find_unmarked(
        manager, implementer, hooks
    )
    if fault is not None:
        return fault
    try:
        manager.register(implementer, name)
    except (pluggy.PluginValidationError, ValueError) as error:
        return f"does not fit its hooks: {' '.join(str(error).split())}"
    return None


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows the hookspecs and nothing else."""
    manager = pluggy.PluginManager("msp")
    manager.add_hookspecs(hookspecs)
    return manager


def implements(manager: pluggy.PluginManager, implementer: object) -> frozenset[str]:
    """Return the names of the hooks a registered object implements."""
    return frozenset(caller.name for caller in manager.get_hookcallers(implementer) or ())


def _find_misnamed(
    manager: pluggy.PluginManager, implementer: object, hooks: Collection[str]
) -> str | None:
    for name in _list_marked(manager, implementer):
        if name in hooks:
            continue
        if name in hookspecs.SERVICE_HOOKS:
            return f"implements {name}, which only a service or a job may"
        if name in hookspecs.PLUGIN_HOOKS:
            return f"implements {name}, which only a plugin may"
        close = closest(name, hooks)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(hooks)}"
        return f"implements {name}, which is no hook: {hint}"
    return None


def _list_marked(manager: pluggy.PluginManager, implementer: object) -> Iterator[str]:
    for name in dir(implementer):
        options = manager.parse_hookimpl_opts(implementer, name)
        if options is not None:
            yield options.get("specname") or name


def _find_unmarked(
    manager: pluggy.PluginManager, implementer: object, hooks: Collection[str]
) -> str | None:
    """Find a function that is named like a hook and lacks the mark: it would never be called."""
    for name in hooks:
        found = inspect.getattr_static(implementer, name, None)
        if callable(found) and manager.parse_hookimpl_opts(implementer, name) is None:
            return f"has a function {name} that is not marked: put @hookimpl above it"
    return None
