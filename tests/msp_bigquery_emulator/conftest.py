"""What the tests of msp_bigquery_emulator share: an emulator, and Google's clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from msp_bigquery_emulator.emulator import Emulator, Options

PROJECT = "project-1"
Post = Callable[..., httpx.Response]
Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Return what the emulator is started with."""
    return Options(project=PROJECT, dataset="d", data=tmp_path / "data")


@pytest.fixture
def emulator(options: Options) -> Iterator[Emulator]:
    """Give a running emulator with an empty dataset `d`."""
    with Emulator(options) as emulator:
        yield emulator


def connect(url: str) -> bigquery.Client:
    """Return Google's client of an emulator."""
    return bigquery.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": url},
    )


@pytest.fixture
def client(emulator: Emulator) -> Iterator[bigquery.Client]:
    """Give Google's client of the emulator."""
    with connect(emulator.http) as client:
        yield client


@pytest.fixture
def rest(emulator: Emulator) -> Iterator[httpx.Client]:
    """Give an HTTP client of the project's paths, for what Google's client never sends."""
    url = f"{emulator.http}/bigquery/v2/projects/{PROJECT}"
    with httpx.Client(base_url=url, trust_env=False) as rest:
        yield rest


@pytest.fixture
def rows(client: bigquery.Client) -> Rows:
    """Give the function that runs SQL and returns its rows."""

    def run(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        config = bigquery.QueryJobConfig(query_parameters=parameters, default_dataset="project-1.d")
        return [tuple(row) for row in client.query_and_wait(sql, job_config=config)]

    return run


@pytest.fixture
def people(client: bigquery.Client) -> bigquery.Table:
    """Return a table with a required name and an age."""
    schema = [
        bigquery.SchemaField("name", "STRING", "REQUIRED"),
        bigquery.SchemaField("age", "INT64"),
    ]
    return client.create_table(bigquery.Table(f"{PROJECT}.d.people", schema=schema))
