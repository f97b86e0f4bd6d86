"""What the runtime is told about Cloud SQL, what opening refuses, and what importing costs."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from google.auth.credentials import Credentials

from msp_cloudsql import (
    CloudSQL,
    CloudSQLConfig,
    LocalDSN,
    RenderedDSNError,
    msp_integration,
)
from msp_cloudsql._instance.surroundings import Google
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract, NoopRoutine, hookimpl, open_contract
from msp_core.config import Secret, load


def test_describes_the_integration() -> None:
    """The record names the type that a service asks its contract for, and the dev resource."""
    integration = msp_integration()

    assert integration.name == "cloudsql"
    assert integration.client is CloudSQL
    assert integration.config is CloudSQLConfig
    assert integration.check is not None
    assert integration.dev is not None
    assert integration.dev(Path("unused")) is not None


class Guestbook:
    """A service that is not run."""

    name, version = "guestbook", "1.2.3"

    @hookimpl
    def msp_initialize(self) -> NoopRoutine:
        raise AssertionError


@pytest.mark.parametrize(
    ("environ", "configured"),
    [
        ({}, False),
        ({"PGUSER": "me@p.iam"}, False),
        ({"PGINSTANCE": "p:r:i", "PGUSER": "me@p.iam"}, True),
        ({"PGDSN": "host=localhost dbname={{ .Database }}"}, True),
        ({"PGDSN": "host=localhost dbname={{ .Database }}", "PGUSER": "me"}, True),
    ],
)
async def test_is_configured(environ: dict[str, str], *, configured: bool) -> None:
    """A service can ask whether there is a PostgreSQL; on an instance there is one."""
    given = {"PORT": "0", **environ}
    async with open_contract(given, Guestbook(), plugins=("cloudsql",)) as contract:
        assert contract.configured(CloudSQL) is configured


async def test_opening_an_instance_asks_nobody(contract: Contract) -> None:
    """A service starts without Google, whose answers are waited for by the first connection."""

    def find() -> Credentials:
        raise AssertionError("asked")

    config = load(CloudSQLConfig, {"PGINSTANCE": "p:r:i", "PGUSER": "me@p.iam"})
    async with open_cloudsql(config, contract, Google(credentials=find)) as cloudsql:
        assert cloudsql.opened() == ()


async def test_opening_finds_a_dsn_that_renders_to_nothing_useful(contract: Contract) -> None:
    """A config that was made by hand, so that nobody judged it, shows at the start."""
    config = CloudSQLConfig(connection=LocalDSN(dsn=Secret("hunter2={{ .Database }}")))
    with pytest.raises(RenderedDSNError) as caught:
        async with open_cloudsql(config, contract):
            pass

    assert "hunter2" not in str(caught.value)


async def test_warns_once_that_queries_are_logged(
    postgresql_environ: Mapping[str, str], contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    """Arguments of queries are people's data; whoever logs them should know."""
    config = load(CloudSQLConfig, {**postgresql_environ, "PG_QUERY_LOGGING": "true"})
    async with open_cloudsql(config, contract) as cloudsql:
        cloudsql.sync_pool("primary")
        await (await cloudsql.connect("primary")).close()

    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in warnings] == ["msp.cloudsql.query"]


def test_importing_it_imports_no_psycopg() -> None:
    """A plugin that is declared but not configured costs nothing."""
    code = (
        "import sys, msp_cloudsql; msp_cloudsql.msp_integration(); "
        "print([name for name in sys.modules if name.startswith('psycopg')])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code

    assert done.stdout == "[]\n"
