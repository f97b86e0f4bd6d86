"""Resolution: from a service to the plugins it declares, by a kept answer or by metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msp_core._plugins.cache import DeclarationCache
from msp_core._plugins.declaration import Declaration
from msp_core.errors import PluginError


def resolve(
    service: object,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
    cache: DeclarationCache | None = None,
) -> Declaration:
    """Return the plugins a service declared; imports nothing.

    Args:
        service: its class leads to the distribution, through the entry points of `msp.services`.
        plugins: names that replace the declaration, for a script without metadata.
        distribution: the service's distribution, when entry points do not name it.
        cache: where answers of earlier starts are; default none.

    Raises:
        PluginError: a plugin is declared but not installed, or does not fit this core; several
            are reported in one error, one per line.
        UsageError: there is no such distribution, or the service belongs to several.
    """
    question = _question(service, plugins, distribution)
    kept = cache.find(question, Declaration.from_record) if cache is not None else None
    if kept is not None:
        return kept
    found = examine(service, plugins=plugins, distribution=distribution)
    if len(found.problems) == 1:
        raise found.problems[0]
    if found.problems:
        raise _join(found.problems)
    if cache is not None:
        cache.keep(question, found.to_record(), found.sources)
    return found


def examine(
    service: object, *, plugins: Sequence[str] | None = None, distribution: str | None = None
) -> Declaration:
    """Return what metadata says, with problems gathered instead of raised."""
    from msp_core._plugins import metadata  # noqa: PLC0415 - slow; a kept answer needs none of it

    return metadata.examine(service, plugins=plugins, distribution=distribution)


def _question(service: object, plugins: Sequence[str] | None, distribution: str | None) -> str:
    """Return all that an answer depends on besides what is installed."""
    asker = service if isinstance(service, type) else type(service)
    names = None if plugins is None else [*plugins]
    return json.dumps([asker.__module__, asker.__qualname__, names, distribution])


def _join(problems: Sequence[PluginError]) -> PluginError:
    return PluginError(
        "\n".join(str(problem) for problem in problems),
        plugin=", ".join(problem.plugin for problem in problems),
    )
