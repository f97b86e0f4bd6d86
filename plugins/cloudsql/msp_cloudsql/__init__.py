"""Cloud SQL for PostgreSQL, for the Managed Services Platform runtime.

A service asks its contract, `contract[CloudSQL]`, and gets pools of psycopg: `pool(database)` for
asyncio, `sync_pool(database)` for threads. Importing this package does not import psycopg.
"""

from msp_cloudsql._cloudsql import CloudSQL
from msp_cloudsql._config import CloudSQLConfig, InstanceLogin, LocalDSN
from msp_cloudsql._dsn import DSNError, RenderedDSNError, TemplateFieldError, TemplateSyntaxError
from msp_cloudsql._plugin import msp_integration

__all__ = [
    "CloudSQL",
    "CloudSQLConfig",
    "DSNError",
    "InstanceLogin",
    "LocalDSN",
    "RenderedDSNError",
    "TemplateFieldError",
    "TemplateSyntaxError",
    "msp_integration",
]
