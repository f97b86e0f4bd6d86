"""What the tests of msp_cloudsql share."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from msp_cloudsql import CloudSQL, CloudSQLConfig
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load
from tests.msp_cloudsql.database import Database
from tests.msp_cloudsql.iam import Opening, port_of
from tests.msp_cloudsql.stand_in import ENVIRON, StandIn


@pytest.fixture
def contract() -> Contract:
    """Give what this plugin reads of a contract: a name, and what removes secrets."""
    given = SimpleNamespace(name="guestbook", scrub=lambda text: text.replace("hunter2", "***"))
    return cast("Contract", given)


@pytest.fixture
async def cloudsql(
    postgresql_environ: Mapping[str, str], contract: Contract
) -> AsyncIterator[CloudSQL]:
    """Give the client of a running server."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as opened:
        yield opened


@pytest.fixture
def database(
    postgresql_environ: Mapping[str, str], contract: Contract, tmp_path: Path
) -> Iterator[Database]:
    """Give an empty database of the test's own, and an empty folder."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    given = Database(f"test_{uuid.uuid4().hex}", folder, postgresql_environ, contract)
    postgres = Database("postgres", folder, postgresql_environ, contract)
    postgres.execute(f"CREATE DATABASE {given.name}")
    yield given
    postgres.execute(f"DROP DATABASE {given.name} WITH (FORCE)")


@pytest.fixture
def stand_in(postgresql_environ: Mapping[str, str], tmp_path: Path) -> Iterator[StandIn]:
    """Give an instance in front of the shared PostgreSQL."""
    with StandIn(tmp_path, port_of(postgresql_environ)) as started:
        yield started


@pytest.fixture
def opened(stand_in: StandIn, contract: Contract) -> Opening:
    """Give what opens the plugin on the stand-in."""

    @contextlib.asynccontextmanager
    async def opening(**changes: str) -> AsyncIterator[CloudSQL]:
        config = load(CloudSQLConfig, {**ENVIRON, **changes})
        async with open_cloudsql(config, contract, stand_in.google) as cloudsql:
            yield cloudsql

    return opening
