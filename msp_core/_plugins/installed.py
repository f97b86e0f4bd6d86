"""What is installed: distributions, and their entry points of our groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import importlib_metadata

from msp_core._plugins.declaration import CORE, SERVICES
from msp_core.errors import UsageError

if TYPE_CHECKING:  # its older releases have no such name
    from importlib_metadata import EntryPoint, IDistribution


def find_distribution(name: str) -> IDistribution | None:
    """Return the installed distribution of that name, None when there is none."""
    try:
        return importlib_metadata.distribution(name)
    except importlib_metadata.PackageNotFoundError:
        return None


def core() -> IDistribution:
    """Return the core's own distribution."""
    return importlib_metadata.distribution(CORE)


def core_extras() -> tuple[str, ...]:
    """Return the names of the core's extras, as its metadata has them."""
    return tuple(core().metadata.get_all("Provides-Extra", []))


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, by name; reads the metadata of all that is installed."""
    found = importlib_metadata.entry_points(group=group)
    return tuple(sorted(found, key=lambda entry: entry.name))


def find_service(name: str) -> EntryPoint | None:
    """Return the service or job of that name.

    The distribution of the same name is asked first, so that the usual case does not read the
    metadata of everything that is installed.
    """
    likely = find_distribution(name)
    listed = likely.entry_points.select(group=SERVICES, name=name) if likely else ()
    listed = listed or [entry for entry in entry_points(SERVICES) if entry.name == name]
    return next(iter(listed), None)


def distribution_of(service: object) -> IDistribution | None:
    """Return the distribution that lists this service, or its package, under `msp.services`.

    The distribution named like the package is asked first, for the same reason.

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
    listed = [entry for entry in entry_points(SERVICES) if lists_package(entry, package)]
    exact = f"{service_class.__module__}:{service_class.__qualname__}"
    listed = [entry for entry in listed if entry.value == exact] or listed
    return _only_distribution(listed, service_class)


def lists_package(entry_point: EntryPoint, package: str) -> bool:
    """Return whether an entry point is a service of the package."""
    return entry_point.group == SERVICES and entry_point.module.partition(".")[0] == package


def metadata_folder(distribution: IDistribution | None) -> str:
    """Return where a distribution's metadata lies, empty when that is in no folder."""
    return str(getattr(distribution, "_path", ""))  # there is no public name for it


def _only_distribution(listed: list[EntryPoint], service: type) -> IDistribution | None:
    found = {entry.dist.name: entry.dist for entry in listed if entry.dist is not None}
    if len(found) > 1:
        names = ", ".join(sorted(found))
        raise UsageError(
            f"the package of {service.__qualname__} is listed under {SERVICES} by several"
            f" distributions, {names}: say which one with distribution="
        )
    return next(iter(found.values()), None)
