"""Example: the service; wires the parts and knows nothing of how they work."""

from __future__ import annotations

from collections.abc import Mapping

from msp_cloudsql import CloudSQL
from msp_core import (
    CombinedRoutine,
    Contract,
    PeriodicRoutine,
    Routine,
    ServiceContract,
    hookimpl,
)
from msp_core.http import HTTPServer
from msp_example import __version__
from msp_example.internal.bigquery import BigQueryEvents
from msp_example.internal.httpapi import make_app
from msp_example.internal.postgresql import MIGRATIONS, PostgreSQLVisits
from msp_example.internal.redis import RedisVisits
from msp_example.internal.turnstile import Turnstile
from msp_example.internal.visits import Visits
from msp_example.service.config import Config
from msp_redis import Redis


class Example:
    """Counts visits in PostgreSQL and in Redis, notes them in BigQuery, and tells its variable.

    Attributes:
        name: of the service.
        version: of the service.
        config: what is loaded from the environment for it.
        migrations: folder of the schema; `msp check` looks whether it was shipped.
    """

    name = "example"
    version = __version__
    config = Config
    migrations = MIGRATIONS

    def __init__(self) -> None:
        # Stays None in stateless mode.
        self._visits: Visits | None = None

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract, config: Config) -> Routine:
        """Reach every dependency before a request can arrive; a failure ends the start."""
        if config.stateless_mode:
            return self._server(contract, config, None)
        self._visits = visits = Visits(
            postgresql=PostgreSQLVisits(contract[CloudSQL]),
            redis=RedisVisits(contract[Redis]),
            events=BigQueryEvents.of(contract),
        )
        await visits.prepare()
        server = self._server(contract, config, visits)
        return CombinedRoutine(server, PeriodicRoutine("visits", visits.report, interval=60))

    def _server(
        self, contract: ServiceContract, config: Config, visits: Visits | None
    ) -> HTTPServer:
        turnstile = Turnstile(config.turnstile)
        app = make_app(config.variable, visits, turnstile, contract.diagnostics)
        return HTTPServer(app, contract)

    @hookimpl
    async def msp_healthy(self, contract: Contract, query: Mapping[str, str]) -> None:  # noqa: ARG002 - shows what a health check is given
        """Ping both databases and write a row to BigQuery."""
        if self._visits is not None:
            await self._visits.check()
