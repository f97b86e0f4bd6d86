"""What the tests of msp_cloudsql share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from msp_core import Contract
from tests.msp_cloudsql.database import Database


@pytest.fixture
def contract() -> Contract:
    """Give what this plugin reads of a contract: a name, and what removes secrets."""
    health = SimpleNamespace(scrub=lambda text: text.replace("hunter2", "***"))
    diagnostics = SimpleNamespace(health=health)
    return cast("Contract", SimpleNamespace(name="guestbook", diagnostics=diagnostics))


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
