"""Roles of Google's IAM: who may do what, for fakes of Google's servers.

A fake asks `allowed` before it answers, and refuses with Google's own error body.
"""

from __future__ import annotations

from collections.abc import Collection
from types import MappingProxyType

# Role -> its permissions, as Google lists them; only those a runtime or a plugin may come to need.
PERMISSIONS = MappingProxyType(
    {
        "roles/secretmanager.secretAccessor": {"secretmanager.versions.access"},
        "roles/compute.networkUser": {"compute.networks.use", "compute.subnetworks.use"},
        "roles/cloudtrace.agent": {"cloudtrace.traces.patch", "telemetry.traces.write"},
        "roles/monitoring.metricWriter": {
            "monitoring.metricDescriptors.create",
            "monitoring.metricDescriptors.get",
            "monitoring.metricDescriptors.list",
            "monitoring.timeSeries.create",
            "telemetry.metrics.write",
        },
        "roles/cloudprofiler.agent": {
            "cloudprofiler.profiles.create",
            "cloudprofiler.profiles.update",
        },
        "roles/cloudsql.client": {"cloudsql.instances.connect", "cloudsql.instances.get"},
        "roles/cloudsql.instanceUser": {"cloudsql.instances.get", "cloudsql.instances.login"},
        "roles/bigquery.dataEditor": {
            "bigquery.datasets.get",
            "bigquery.tables.create",
            "bigquery.tables.delete",
            "bigquery.tables.get",
            "bigquery.tables.getData",
            "bigquery.tables.list",
            "bigquery.tables.update",
            "bigquery.tables.updateData",
        },
        # Not granted by the platform:
        "roles/bigquery.jobUser": {"bigquery.jobs.create"},
        "roles/serviceusage.serviceUsageConsumer": {"serviceusage.services.use"},
        "roles/telemetry.metricsWriter": {"monitoring.timeSeries.create"},
        "roles/telemetry.tracesWriter": {"telemetry.traces.write"},
    }
)

# What the platform grants to the account of a workload; the last one on the dataset alone.
WORKLOAD = frozenset(
    {
        "roles/secretmanager.secretAccessor",
        "roles/compute.networkUser",
        "roles/cloudtrace.agent",
        "roles/monitoring.metricWriter",
        "roles/cloudprofiler.agent",
        "roles/cloudsql.client",
        "roles/cloudsql.instanceUser",
        "roles/bigquery.dataEditor",
    }
)


def allowed(permission: str, roles: Collection[str] = WORKLOAD) -> bool:
    """Return whether one of the roles has the permission.

    Raises:
        KeyError: a role is not in the table.
    """
    return any(permission in PERMISSIONS[role] for role in roles)
