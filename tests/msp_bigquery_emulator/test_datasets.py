"""Datasets: made, described, listed, changed, deleted."""

from __future__ import annotations

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import bigquery


def test_life(client: bigquery.Client) -> None:
    """A dataset is what the client made of it, until it is deleted."""
    wanted = bigquery.Dataset("project-1.new")
    wanted.description = "of the test"
    made = client.create_dataset(wanted)
    made.labels = {"team": "a", "old": "b"}
    made = client.update_dataset(made, ["labels"])
    made.labels = {"team": "c", "old": None}
    client.update_dataset(made, ["labels"])

    found = client.get_dataset("new")
    listed = {dataset.dataset_id for dataset in client.list_datasets()}
    client.delete_dataset("new")

    assert (found.description, found.labels, found.location) == ("of the test", {"team": "c"}, "US")
    assert listed == {"d", "new"}
    with pytest.raises(exceptions.NotFound, match="project-1:new"):
        client.get_dataset("new")


def test_existing(client: bigquery.Client) -> None:
    """A second dataset of one name is a duplicate, which `exists_ok` lets pass."""
    with pytest.raises(exceptions.Conflict, match="Already Exists"):
        client.create_dataset("d")

    assert client.create_dataset("d", exists_ok=True).dataset_id == "d"


def test_dataset_in_use(client: bigquery.Client, people: bigquery.Table) -> None:
    """A dataset with tables goes only when its contents shall go too."""
    with pytest.raises(exceptions.BadRequest, match="still in use"):
        client.delete_dataset("d")
    client.delete_dataset("d", delete_contents=True)

    client.create_dataset("d")
    with pytest.raises(exceptions.NotFound, match="people"):
        client.get_table(people)


def test_change_of_an_old_version(client: bigquery.Client) -> None:
    """Who changes a version that is not the newest is told, and loses nothing of the other's."""
    first, second = client.get_dataset("d"), client.get_dataset("d")
    first.description = "first"
    client.update_dataset(first, ["description"])
    second.description = "second"
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_dataset(second, ["description"])

    assert client.get_dataset("d").description == "first"


@pytest.mark.parametrize("name", ["a-b", "information_schema", "", None])
def test_invalid_name(rest: httpx.Client, name: str | None) -> None:
    """A name that BigQuery, or DuckDB, cannot have is the client's mistake."""
    answer = rest.post("/datasets", json={"datasetReference": {"datasetId": name}})

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("name", ["main", "temp", "bigquery"])
def test_names_that_duckdb_knows(client: bigquery.Client, name: str) -> None:
    """A dataset may be called as something of DuckDB is."""
    client.create_dataset(name)
    client.query_and_wait(f"CREATE TABLE {name}.t AS SELECT 1 AS a")

    sql = f"SELECT t.a FROM {name}.t"  # noqa: S608 - a name of this test

    assert [tuple(row) for row in client.query_and_wait(sql)] == [(1,)]


def test_pages(rest: httpx.Client) -> None:
    """A list comes in pages of the size that was asked for."""
    for name in ("e", "f"):
        rest.post("/datasets", json={"datasetReference": {"datasetId": name}})
    first = rest.get("/datasets?maxResults=2").json()
    second = rest.get("/datasets", params={"pageToken": first["nextPageToken"]}).json()
    names = [one["datasetReference"]["datasetId"] for one in first["datasets"] + second["datasets"]]

    assert names == ["d", "e", "f"]
    assert "nextPageToken" not in second
    assert rest.get("/datasets?maxResults=many").status_code == 400
