"""Which services are installed: the entry points of group `msp.services`, and who lists them."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import Distribution, EntryPoint

from msp_core._plugins.requirements import find_distribution
from msp_core.errors import UsageError

GROUP = "msp.services"


def services() -> tuple[EntryPoint, ...]:
    """Return the entry points of all installed services and jobs, by name; imports none of them."""
    return tuple(sorted(importlib.metadata.entry_points(group=GROUP), key=lambda one: one.name))


def distribution_of(service: object) -> Distribution | None:
    """Return the distribution that lists this service, or its package, under `msp.services`.

    The distribution named like the package is asked first, so that the usual case does not read
    the metadata of everything that is installed.

    Returns:
        None when none lists it, as for a class in a script.

    Raises:
        UsageError: several distributions list services of the same package.
    """
    service_class = service if isinstance(service, type) else type(service)
    package = service_class.__module__.partition(".")[0]
    likely = find_distribution(package)
    if likely is not None and any(lists_package(entry, package) for entry in likely.entry_points):
        return likely
    listed = [entry for entry in services() if lists_package(entry, package)]
    exact = f"{service_class.__module__}:{service_class.__qualname__}"
    listed = [entry for entry in listed if entry.value == exact] or listed
    return _only_distribution(listed, service_class)


def lists_package(entry_point: EntryPoint, package: str) -> bool:
    """Return whether an entry point is a service of the package."""
    return entry_point.group == GROUP and entry_point.module.partition(".")[0] == package


def _only_distribution(listed: list[EntryPoint], service: type) -> Distribution | None:
    found = {entry.dist.name: entry.dist for entry in listed if entry.dist is not None}
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise UsageError(
            f"the package of {service.__qualname__} is listed under {GROUP} by several"
            f" distributions, {names}: say which one with distribution="
        )
    return next(iter(found.values()), None)
