"""The hooks through which the runtime knows Cloud SQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from msp_cloudsql._check import select_one
from msp_cloudsql._cloudsql import CloudSQL
from msp_cloudsql._config import CloudSQLConfig
from msp_cloudsql._instance.account import account_hidden
from msp_cloudsql._instance.instance import Instance
from msp_cloudsql._instance.roles import ADMIN_API, CLIENT, LOGIN
from msp_cloudsql._instance.surroundings import Google
from msp_cloudsql._login import login
from msp_cloudsql._pools.server import Server
from msp_cloudsql._telemetry.pool_metrics import pool_metrics
from msp_core.contract import Contract
from msp_core.hookspecs import hookimpl
from msp_core.integration import Integration

logger = logging.getLogger("msp.cloudsql.query")


@asynccontextmanager
async def open_cloudsql(
    config: CloudSQLConfig, contract: Contract, google: Google | None = None
) -> AsyncIterator[CloudSQL]:
    """Give pools to the configured server, and close them; waits for no answer of the server.

    Args:
        config: from the environment.
        contract: gives the service's name.
        google: where Google is found. Default the real one.

    Raises:
        DSNError: `PGDSN` cannot be used.
    """
    if config.query_logging:
        logger.warning(
            "PG_QUERY_LOGGING is on: queries and their arguments are logged, level debug "
            "(SRC_LOG_SCOPE_LEVEL=msp.cloudsql.query=debug shows them)"
        )
    found = login(config, google or Google())
    metrics = pool_metrics()
    server = Server(
        login=found,
        application=contract.name,
        query_logging=config.query_logging,
        trace_arguments=config.trace_arguments,
        scrub=contract.scrub,
        metrics=metrics,
    )
    cloudsql = CloudSQL(server)
    if metrics:
        metrics.observe(cloudsql)
    async with hide_traces(found.instance) if found.instance else nullcontext():
        try:
            yield cloudsql
        finally:
            await cloudsql.close()


@asynccontextmanager
async def hide_traces(instance: Instance) -> AsyncIterator[None]:
    """Keep the account of an instance out of logs, and leave nothing of what was fetched."""
    with account_hidden(instance.user):
        try:
            yield
        finally:
            instance.forget()
            await asyncio.to_thread(instance.connector.close)


def dev_postgresql(folder: Path) -> AbstractAsyncContextManager[Mapping[str, str]]:
    """Give the embedded stand-in; production never imports what starts it."""
    from msp_cloudsql._dev import postgresql  # noqa: PLC0415 - imported where it is started

    return postgresql(folder)


@hookimpl
def msp_integration() -> Integration[CloudSQLConfig, CloudSQL]:
    """Describe Cloud SQL."""
    return Integration(
        name="cloudsql",
        config=CloudSQLConfig,
        client=CloudSQL,
        open=open_cloudsql,
        check=select_one,
        dev=dev_postgresql,
        roles=(CLIENT, LOGIN),
        apis=(ADMIN_API,),
    )
