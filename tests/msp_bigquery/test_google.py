"""Google: which clients are made, with which credentials, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path

import google.auth.exceptions
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery

from msp_bigquery import BigQueryConfig
from msp_bigquery._google import Google
from msp_core.config import load
from tests.forked import in_child
from tests.msp_bigquery.rest_server import RestServer

IDS = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}
EMULATOR = {
    "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1",
    "BIGQUERY_EMULATOR_GRPC_HOST": "127.0.0.1:1",
}


@pytest.fixture
def service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set GOOGLE_APPLICATION_CREDENTIALS to a key made up for the test; give its e-mail."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": "writer@p.example",
        "token_uri": "https://127.0.0.1:1/token",
        "private_key": pem.decode(),
    }
    path = tmp_path / "key.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    return "writer@p.example"


def test_uses_the_service_s_own_identity(service_account: str) -> None:
    """Both clients are Google's, with the credentials that the platform gives, found once."""
    made = Google(load(BigQueryConfig, IDS))
    client, write_client = made.client(), made.write_client()
    credentials = made._credentials.get()

    assert type(client) is bigquery.Client
    assert client.project == "p"
    assert client.default_query_job_config
    assert client.default_query_job_config.default_dataset == bigquery.DatasetReference("p", "d")
    assert getattr(credentials, "service_account_email", None) == service_account
    assert write_client.transport.host == "bigquerystorage.googleapis.com:443"
    assert made.client() is client
    assert made.write_client() is write_client

    made.close()


def test_leaves_the_adapter_of_mutual_tls_alone(
    service_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client certificate lives in the session's adapter."""
    monkeypatch.setattr(AuthorizedSession, "is_mtls", True)
    client = Google(load(BigQueryConfig, IDS)).client()

    assert client._http.get_adapter("https://x.example")._pool_maxsize == 10

    monkeypatch.setattr(AuthorizedSession, "is_mtls", False)
    client = Google(load(BigQueryConfig, IDS)).client()

    assert client._http.get_adapter("https://x.example")._pool_maxsize == 64


def test_an_emulator_gets_no_credentials(service_account: str) -> None:
    """A developer's own rights must not leave the laptop."""
    made = Google(load(BigQueryConfig, IDS | EMULATOR))

    assert isinstance(made._credentials.get(), AnonymousCredentials)
    assert made.client()._connection.API_BASE_URL == "http://127.0.0.1:1"
    assert made.write_client() is made.write_client()

    made.close()


def test_missing_credentials_are_the_library_s_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Google says best what it looked for."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(google.auth.exceptions.DefaultCredentialsError):
        Google(load(BigQueryConfig, IDS)).client()


def test_another_process_gets_clients_of_its_own() -> None:
    """The child of a fork shares no connection with its parent, and closes none of its clients."""
    with RestServer() as server:
        host = {"BIGQUERY_EMULATOR_HOST": server.url}
        made = Google(load(BigQueryConfig, IDS | host))
        parents = made.client()
        parents.get_table("d.t")

        def use() -> None:
            assert made.client() is not parents
            made.client().get_table("d.t")
            made.close()
            assert parents._http.adapters["http://"].poolmanager.pools

        in_child(use)

        parents.get_table("d.t")
        made.close()
        assert not parents._http.adapters["http://"].poolmanager.pools
