"""Resource attributes: who sends the telemetry."""

from __future__ import annotations

from collections.abc import Mapping

from msp_core.contract import Contract
from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._pairs import parse_pairs

_FROM_PLATFORM = {
    "K_SERVICE": "faas.name",
    "K_REVISION": "faas.version",
    "CLOUD_RUN_JOB": "faas.name",
    "CLOUD_RUN_EXECUTION": "gcp.cloud_run.job.execution",
    "CLOUD_RUN_TASK_INDEX": "gcp.cloud_run.job.task_index",
}


def resource_attributes(
    config: OpenTelemetryConfig,
    contract: Contract,
    *,
    detected: Mapping[str, str],
    project: str | None,
) -> dict[str, str]:
    """Return the attributes; what the variables of the specification say wins.

    Args:
        config: of the plugin.
        contract: of the service.
        detected: what Google's metadata server says; empty elsewhere.
        project: Google Cloud project that receives the telemetry; None when none does.
    """
    environ = contract.environ
    attributes = {
        **contract.origin.attributes(),
        **{key: environ[name] for name, key in _FROM_PLATFORM.items() if environ.get(name)},
        **detected,
    }
    if project is not None:
        attributes["gcp.project_id"] = project  # which project the Telemetry API writes to
    attributes |= parse_pairs(config.resource_attributes or "")
    if config.service_name is not None:
        attributes["service.name"] = config.service_name
    return attributes
