"""The hooks through which the runtime knows BigQuery."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from types import ModuleType

from msp_bigquery._bigquery import BigQuery
from msp_bigquery._check import last_writes
from msp_bigquery._config import BigQueryConfig
from msp_bigquery._delivery.workers import Workers
from msp_bigquery._roles import APIS, JOBS, WRITING
from msp_core.contract import Contract
from msp_core.deadline import closing
from msp_core.hookspecs import hookimpl
from msp_core.integration import Integration

_FLUSH = 60.0  # seconds for the buffers at stop; the runtime gives less, and rows are worth it all
_REST = 0.3  # seconds before the deadline, to hand over what could not be sent


@asynccontextmanager
async def open_bigquery(
    config: BigQueryConfig,
    contract: Contract,  # noqa: ARG001 - every integration is opened with it
) -> AsyncIterator[BigQuery]:
    """Give client and writers for the configured dataset; flush and close them.

    Asks neither BigQuery nor for credentials. Google's library, which takes its time to import,
    is imported in a thread meanwhile, so that who asks for the client does not wait for it.
    """
    bigquery = BigQuery(config)
    imported = _import_google()
    try:
        yield bigquery
    finally:
        try:
            await asyncio.shield(asyncio.wrap_future(imported))
        finally:
            await bigquery.close(closing(_FLUSH, keep=_REST).remaining())


@cache
def _import_google() -> Future[ModuleType]:
    """Import Google's library in a thread, once; return what tells when that is done.

    A fork waits for it: the child would be left with half of the library.
    """
    workers = Workers(1)
    imported = workers.submit(importlib.import_module, "google.cloud.bigquery")
    workers.close()
    os.register_at_fork(before=partial(wait, (imported,)))
    return imported


def dev_bigquery(folder: Path) -> AbstractAsyncContextManager[Mapping[str, str]]:
    """Give the embedded stand-in; production never imports what starts it."""
    from msp_bigquery._dev import bigquery_emulator  # noqa: PLC0415 - imported where it is started

    return bigquery_emulator(folder)


@hookimpl
def msp_integration() -> Integration[BigQueryConfig, BigQuery]:
    """Describe BigQuery; the service stays ready while it is away, since writing goes on later."""
    return Integration(
        name="bigquery",
        config=BigQueryConfig,
        client=BigQuery,
        open=open_bigquery,
        check=last_writes,
        critical=False,
        dev=dev_bigquery,
        roles=(WRITING, JOBS),
        apis=APIS,
    )
