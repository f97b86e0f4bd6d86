"""With exactly the roles that the platform grants: writing and reading work, jobs do not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden

from msp_bigquery import BigQuery, WriteError, _refused_jobs, msp_integration
from tests.google_roles import WORKLOAD
from tests.msp_bigquery.conftest import Opening
from tests.msp_bigquery.rest_server import RestServer
from tests.msp_bigquery.write_server import WriteServer

ALWAYS = frozenset(role.name for role in msp_integration().roles if role.when is None)
ROW = {"name": "good"}
SCHEMA = [{"name": "name", "type": "STRING"}]
WRITERS = pytest.mark.parametrize(
    "options",
    [{}, {"storage": True}, {"storage": True, "insert_ids": True}],
    ids=["insertAll", "default stream", "stream of its own"],
)


@pytest.mark.parametrize("roles", [WORKLOAD, ALWAYS], ids=["platform", "record"])
@WRITERS
async def test_rows_are_written(opened: Opening, roles: Collection[str], options: Any) -> None:
    """What the platform grants, and what the record asks for always, is enough to write."""
    with RestServer(roles=roles) as rest, WriteServer(roles=roles) as grpc:
        rest.schema = SCHEMA
        async with opened(rest.url, grpc.address) as bigquery:
            await bigquery.table_writer("t", **options).write(ROW)

    assert len(rest.rows) + len(grpc.rows) == 1


@pytest.mark.parametrize("missing", sorted(ALWAYS))
@WRITERS
async def test_a_missing_role_is_named(opened: Opening, missing: str, options: Any) -> None:
    """Without a role that the record names nothing is written, and the error says which it is."""
    roles = WORKLOAD - {missing}
    with RestServer(roles=roles) as rest, WriteServer(roles=roles) as grpc:
        rest.schema = SCHEMA
        async with opened(rest.url, grpc.address) as bigquery:
            with pytest.raises(WriteError, match=f"grant it {missing} on the dataset"):
                await bigquery.table_writer("t", **options).write(ROW)

    assert not rest.rows
    assert not grpc.rows


async def test_the_storage_api_refuses_by_itself(opened: Opening) -> None:
    """Who may read the schema and not append learns the role from the answer to the append."""
    with RestServer() as rest, WriteServer(roles=()) as grpc:
        rest.schema = SCHEMA
        async with opened(rest.url, grpc.address) as bigquery:
            with pytest.raises(WriteError, match=r"PermissionDenied \(403\): .*dataEditor"):
                await bigquery.table_writer("t", storage=True).write(ROW)


async def test_rows_are_read_without_a_job(opened: Opening) -> None:
    """Listing the rows of a table works where queries are refused."""
    with RestServer(roles=WORKLOAD) as rest:
        rest.schema = SCHEMA
        async with opened(rest.url) as bigquery:
            client = bigquery.client()
            rows = await asyncio.to_thread(client.list_rows, bigquery.table("t"))

            assert bigquery.table("t") == "p.d.t"
            assert await asyncio.to_thread(list, rows) == []


async def refuse_query(bigquery: BigQuery) -> None:
    """Run a query that Google refuses; the error is Google's own."""
    with pytest.raises(Forbidden, match=r"bigquery\.jobs\.create"):
        await asyncio.to_thread(bigquery.client().query, "SELECT 1")


async def test_a_refused_job_names_its_role(
    opened: Opening, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google names a permission; a warning says which role has it, at most every 30 s."""
    now = 0.0
    monkeypatch.setattr(_refused_jobs, "time", SimpleNamespace(monotonic=lambda: now))
    with RestServer(roles=WORKLOAD) as rest:
        async with opened(rest.url) as bigquery:
            await refuse_query(bigquery)
            await refuse_query(bigquery)
            [line] = caplog.messages
            assert "need roles/bigquery.jobUser on the project" in line

            now += 29.9
            await refuse_query(bigquery)
            assert len(caplog.messages) == 1

            now += 0.2
            await refuse_query(bigquery)

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


async def test_other_refusals_are_not_about_jobs(
    opened: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    """A table that may not be read, and a job that fails otherwise, say nothing of jobUser."""
    with RestServer(roles=()) as rest:
        async with opened(rest.url) as bigquery:
            with pytest.raises(Forbidden):
                await asyncio.to_thread(bigquery.client().get_table, bigquery.table("t"))

    assert not caplog.messages
