"""Cloud SQL for PostgreSQL, for the Managed Services Platform runtime.

A service asks its contract, `contract[CloudSQL]`, and gets pools of psycopg: `pool(database)` for
asyncio, `sync_pool(database)` for threads. Importing this package does not import psycopg.
"""

from msp_cloudsql._cloudsql import CloudSQL
from msp_cloudsql._config import CloudSQLConfig, InstanceLogin, LocalDSN
from msp_cloudsql._dsn import DSNError, RenderedDSNError, TemplateFieldError, TemplateSyntaxError
from msp_cloudsql._lock import msp_job_lock
from msp_cloudsql._migrations.errors import (
    MigrationAheadError,
    MigrationBehindError,
    MigrationChangedError,
    MigrationError,
    MigrationFailedError,
    MigrationFilesError,
    MigrationInterruptedError,
    MigrationLockError,
)
from msp_cloudsql._migrations.migration import Migration, MigrationReport
from msp_cloudsql._plugin import msp_integration
from msp_cloudsql._service_migrations import msp_check_service
from msp_cloudsql._telemetry.tracing import without_trace

__all__ = [
    "CloudSQL",
    "CloudSQLConfig",
    "DSNError",
    "InstanceLogin",
    "LocalDSN",
    "Migration",
    "MigrationAheadError",
    "MigrationBehindError",
    "MigrationChangedError",
    "MigrationError",
    "MigrationFailedError",
    "MigrationFilesError",
    "MigrationInterruptedError",
    "MigrationLockError",
    "MigrationReport",
    "RenderedDSNError",
    "TemplateFieldError",
    "TemplateSyntaxError",
    "msp_check_service",
    "msp_integration",
    "msp_job_lock",
    "without_trace",
]
