"""CoreConfig: the variables the core itself reads."""

from __future__ import annotations

import attrs

from msp_core._logs.config import LogConfig
from msp_core._plugins.cache import CacheConfig
from msp_core.assembly._bounds import check_not_negative, check_positive
from msp_core.assembly._fragments import Environment
from msp_core.config import Duration, Secret, env
from msp_core.errors import InvalidValue
from msp_core.health import HealthzResources

HIGHEST_PORT = 65535


def _port(value: int) -> None:
    if not 0 <= value <= HIGHEST_PORT:
        raise InvalidValue("a port from 0 to 65535")


@attrs.frozen(kw_only=True, eq=False)
class CoreConfig:
    """The variables that a platform sets for every service and job."""

    environment: Environment
    msp: bool = env("MSP", default=False, help="whether this is a live platform")
    google_cloud_project: str | None = env(
        "GOOGLE_CLOUD_PROJECT", default=None, help="Google Cloud project of the environment"
    )
    diagnostics_secret: Secret | None = env(
        "DIAGNOSTICS_SECRET",
        default=None,
        help="bearer token for /-/healthz, /-/health and the service's own debug routes",
    )
    shutdown_budget: Duration | None = env(
        "MSP_SHUTDOWN_BUDGET",
        default=None,
        help="time for the whole stop; default 9s, and 25s on Kubernetes and Knative",
        validator=check_positive,
    )
    drain_window: Duration | None = env(
        "MSP_DRAIN_WINDOW",
        default=None,
        help="time to go on accepting after readiness turned red; default 0s, and 5s on "
        "Kubernetes and Knative",
        validator=check_not_negative,
    )
    healthz_resources: HealthzResources = env(
        "MSP_HEALTHZ_RESOURCES",
        default="never",
        help="when failing resources make /-/healthz fail; start: until all have answered once",
    )
    declarations: CacheConfig
    logs: LogConfig


@attrs.frozen(kw_only=True, eq=False)
class ServiceVariables:
    """The variables of a service beyond those; a job has no port."""

    port: int = env("PORT", validator=_port, help="port to listen on, on all interfaces")
    external_dns_name: str | None = env(
        "EXTERNAL_DNS_NAME", default=None, help="DNS name provisioned for the service"
    )
