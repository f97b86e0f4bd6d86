"""Plan: which integrations get a dev resource, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from msp_core.assembly import AssembledIntegration, Assembly
from msp_core.dev import DevResource, StartedResource


@attrs.frozen(kw_only=True)
class Row:
    """One line of the start banner.

    Attributes:
        plugin: the integration's name.
        state: `embedded`, `joined` (another process runs it), `configured` or `off`.
        reason: why, in one clause.
    """

    plugin: str
    state: str
    reason: str


@attrs.frozen(kw_only=True)
class Plan:
    """What to do for each integration of a service.

    Attributes:
        integrations: in declared order.
        environ: the user's own variables.
        data: folder that dev resources keep their data below.
    """

    integrations: tuple[AssembledIntegration, ...]
    environ: Mapping[str, str] = attrs.field(repr=False)
    data: Path

    @classmethod
    def of(cls, assembly: Assembly, data: Path) -> Plan:
        """Return the plan for a service assembled from the user's own variables."""
        return cls(integrations=assembly.integrations, environ=assembly.environ, data=data)

    @property
    def resources(self) -> dict[str, DevResource]:
        """The dev resources to start: of integrations that the user's variables do not ask for."""
        return {
            each.record.name: each.record.dev
            for each in self.integrations
            if each.record.dev is not None and not each.asked_by(self.environ)
        }

    def rows(self, started: Mapping[str, StartedResource]) -> list[Row]:
        """Return the banner's lines.

        Args:
            started: the variables of each dev resource, by name of the integration.
        """
        return [self._row(each, started) for each in self.integrations]

    def _row(
        self, integration: AssembledIntegration, started: Mapping[str, StartedResource]
    ) -> Row:
        name = integration.record.name
        if name in started:
            return self._row_of_started(name, started[name])
        if found := integration.asked_by(self.environ):
            return Row(plugin=name, state="configured", reason=f"{_join(found)} set by you")
        needs = " and ".join(map(str, integration.needs))
        return Row(plugin=name, state="off", reason=f"no dev resource; needs {needs}")

    def _row_of_started(self, name: str, started: StartedResource) -> Row:
        state = "joined" if started.joined else "embedded"
        parts = (started.server, f"sets {_join(started)}", f"data in {self.data / name}")
        return Row(plugin=name, state=state, reason="; ".join(filter(None, parts)))


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
