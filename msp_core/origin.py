"""Origin: which process of which service something comes from."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Origin:
    """One process of a service or job, as its log lines, its telemetry and its events name it.

    Attributes:
        name: of the service or job.
        version: its version.
        environment_id: the environment it belongs to.
        instance_id: of the process, made anew for each.
    """

    name: str
    version: str
    environment_id: str
    instance_id: str

    def attributes(self) -> dict[str, str]:
        """Return it under the names of OpenTelemetry's resource attributes."""
        return {
            "service.name": self.name,
            "service.version": self.version,
            "service.instance.id": self.instance_id,
            "deployment.environment.name": self.environment_id,
        }
