"""Origin: what every event says about the process it comes from."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Origin:
    """One process of a service or job.

    Attributes:
        service: its name.
        version: of the service; the events' release.
        environment_id: the events' environment.
        instance_id: the events' server name; the same as in the log lines.
    """

    service: str
    version: str
    environment_id: str
    instance_id: str

    def tags(self) -> dict[str, str]:
        """Return the tags of every event, named as OpenTelemetry's resource attributes."""
        return {
            "resource.service.name": self.service,
            "resource.service.version": self.version,
            "resource.service.instance.id": self.instance_id,
        }
