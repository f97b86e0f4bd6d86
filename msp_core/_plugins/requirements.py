"""Need: one distribution that a service requires, from installed metadata alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from msp_core._plugins.declaration import CORE
from msp_core._plugins.installed import core, core_extras

if TYPE_CHECKING:  # its older releases have no such name
    from importlib_metadata import IDistribution


@attrs.frozen(kw_only=True)
class Need:
    """A distribution that a service requires, itself or through an extra of the core.

    Attributes:
        distribution: canonical name, such as `msp-redis`.
        requirement: the line of metadata that asks for it, with the versions it accepts.
        reason: who asks for it, completing "it is …": `required by guestbook through
            msp-core[redis]`.
    """

    distribution: str
    requirement: Requirement
    reason: str


@attrs.frozen(kw_only=True)
class UnknownExtra:
    """An extra that the installed core does not have.

    Attributes:
        name: the extra, canonical.
        known: the extras there are.
        reason: who asks for it.
    """

    name: str
    known: tuple[str, ...]
    reason: str


def needs(distribution: IDistribution) -> Iterator[Need | UnknownExtra]:
    """Yield what a service's distribution requires here, extras of the core expanded.

    In the order of the metadata; the extras of one line in alphabetical order, because builders
    sort them.
    """
    reason = f"required by {distribution.name}"
    for requirement in _applicable(_requirements(distribution)):
        if canonicalize_name(requirement.name) == CORE:
            yield from _through_core(requirement.extras, reason)
        else:
            yield _make_need(requirement, reason)


def accepted_core(distribution: IDistribution) -> Iterator[Requirement]:
    """Yield the lines by which a distribution says which versions of the core it works with."""
    for requirement in _applicable(_requirements(distribution)):
        if canonicalize_name(requirement.name) == CORE:
            yield requirement


def _through_core(extras: set[str], reason: str) -> Iterator[Need | UnknownExtra]:
    """Yield what the extras of the core stand for; one may refer to others of them."""
    known = tuple(sorted(canonicalize_name(extra) for extra in core_extras()))
    requirements = _requirements(core())
    pending = sorted(canonicalize_name(extra) for extra in extras)
    seen: set[str] = set()
    while pending:
        extra = pending.pop(0)
        if extra in seen:
            continue
        seen.add(extra)
        if extra not in known:
            yield UnknownExtra(name=extra, known=known, reason=reason)
        for requirement in _applicable(requirements, extra):
            if canonicalize_name(requirement.name) == CORE:
                pending.extend(sorted(canonicalize_name(e) for e in requirement.extras))
            else:
                yield _make_need(requirement, f"{reason} through {CORE}[{extra}]")


def _make_need(requirement: Requirement, reason: str) -> Need:
    return Need(
        distribution=canonicalize_name(requirement.name), requirement=requirement, reason=reason
    )


def _requirements(distribution: IDistribution) -> list[Requirement]:
    return [Requirement(line) for line in distribution.requires or ()]


def _applicable(requirements: Iterable[Requirement], extra: str = "") -> Iterator[Requirement]:
    """Yield the requirements whose markers hold here; with an extra, only those it adds."""
    for requirement in requirements:
        if _holds(requirement, extra) and not (extra and _holds(requirement, "")):
            yield requirement


def _holds(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
