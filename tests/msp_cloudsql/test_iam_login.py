"""IAM login to an instance: the real psycopg, google-auth and OpenSSL against a stand-in."""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs
import psycopg
import pytest
from psycopg_pool import PoolTimeout

from msp_cloudsql import CloudSQLConfig
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load
from tests.msp_cloudsql.iam import Opening, answer, hidden, sync_answer, sync_answer_soon
from tests.msp_cloudsql.stand_in import ENVIRON, INSTANCE, USER, StandIn


async def test_logs_in_with_pools_and_connection(stand_in: StandIn, opened: Opening) -> None:
    """Both kinds of pool and a single connection come in, by TLS, with a token as password."""
    async with opened() as cloudsql:
        assert await answer(cloudsql) == "primary"
        assert await sync_answer(cloudsql) == "primary"
        async with await cloudsql.connect("primary", autocommit=True) as connection:
            used = connection.info.get_parameters()

            assert connection.pgconn.ssl_in_use
            assert connection.autocommit
            assert USER not in repr(connection)
        with cloudsql.sync_pool("primary").connection() as sync_connection:
            assert USER not in repr(sync_connection)
    assert used["sslmode"] == "verify-ca"
    assert used["host"] == used["hostaddr"] == "127.0.0.1"
    assert not await asyncio.to_thread(Path(used["sslrootcert"]).exists)
    assert {user for user, _ in stand_in.logins} == {USER}


async def test_many_first_connections_ask_once(stand_in: StandIn, opened: Opening) -> None:
    """One set of credentials, one look-up and one token serve however many come at once."""
    async with opened() as cloudsql:
        threads = [asyncio.create_task(sync_answer(cloudsql)) for _ in range(4)]
        for connection in await asyncio.gather(*(cloudsql.connect("primary") for _ in range(8))):
            await connection.close()
        await asyncio.gather(*threads)

    assert stand_in.asked == {"credentials": 1, "connectSettings": 1, "main": 1, "token": 2}


async def test_a_wrong_user_is_one_clear_error(
    stand_in: StandIn, contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    """It says what PGUSER should be, in pools too, and shows neither account nor token."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "psycopg")
    config = load(CloudSQLConfig, {**ENVIRON, "PGUSER": "nobody@p.iam"})
    async with open_cloudsql(config, contract, stand_in.google) as cloudsql:
        with pytest.raises(psycopg.OperationalError, match="expected PGUSER to be") as one:
            await cloudsql.connect("primary")
        with pytest.raises(PoolTimeout, match="expected PGUSER to be") as other:
            await cloudsql.pool("primary", timeout=0.5).getconn()
        with pytest.raises(PoolTimeout, match="expected PGUSER to be") as third:
            await asyncio.to_thread(cloudsql.sync_pool("primary", timeout=0.5).getconn)

    assert "for user" in caplog.text
    shown = f"{one.value}{other.value}{third.value}{caplog.text}"
    assert not hidden(stand_in, "nobody@p.iam") & set(re.findall(r"[\w.@]+", shown))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("connectSettings", "Admin API answers 503"),
        ("main", "Admin API answers 503"),
        ("token", "no access token from Google: RefreshError"),
    ],
)
async def test_says_what_google_did_not_give(
    question: str,
    text: str,
    stand_in: StandIn,
    opened: Opening,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The error names what failed, and repeats nothing of the answer."""
    caplog.set_level(logging.DEBUG)
    stand_in.failing = {question}
    async with opened() as cloudsql:
        with pytest.raises(psycopg.OperationalError, match=text) as caught:
            await cloudsql.connect("primary")
        with pytest.raises(psycopg.OperationalError, match=text):
            await sync_answer_soon(cloudsql)
        stand_in.failing = set()

        assert await answer(cloudsql) == "primary"
    seen = f"{caught.value}{caplog.text}"
    assert not any(text in seen for text in hidden(stand_in))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"ipAddresses": []}, "has no private address"),
        ({"region": "us-east1"}, "in another region"),
        ({"serverCaCert": {}}, "gives no server CA"),
        ({"serverCaMode": "GOOGLE_MANAGED_CAS_CA"}, "shared CA and no DNS name"),
    ],
)
async def test_says_what_is_wrong_with_the_instance(
    settings: dict[str, object], text: str, stand_in: StandIn, opened: Opening
) -> None:
    """What cannot work is said, not tried."""
    stand_in.settings = settings
    async with opened() as cloudsql:
        with pytest.raises(psycopg.OperationalError, match=text):
            await cloudsql.connect("primary")


async def test_reaches_private_service_connect_by_name(stand_in: StandIn, opened: Opening) -> None:
    """An instance without an address of its own is found by its name."""
    stand_in.settings = {
        "ipAddresses": [],
        "pscEnabled": True,
        "dnsNames": [
            {"name": "public.example", "connectionType": "PUBLIC"},
            {"name": "localhost.", "connectionType": "PRIVATE_SERVICE_CONNECT"},
        ],
    }
    async with opened() as cloudsql, await cloudsql.connect("primary") as connection:
        assert connection.info.host == "localhost"


async def test_prefers_the_mounted_socket(
    stand_in: StandIn, opened: Opening, short_folder: Path
) -> None:
    """Where the platform mounts one, it does TLS; the token is still the password."""
    # The path of a socket may have about a hundred characters.
    stand_in.google = attrs.evolve(stand_in.google, sockets=short_folder)
    folder = short_folder / INSTANCE
    folder.mkdir()
    seen: list[bytes] = []

    async def ask_for_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(b"R\0\0\0\x08\0\0\0\x03")
        seen.append(await reader.read(1024))
        writer.close()

    path = folder / f".s.PGSQL.{stand_in.google.port}"
    async with await asyncio.start_unix_server(ask_for_password, path), opened() as cloudsql:
        with pytest.raises(psycopg.OperationalError, match="closed the connection"):
            await cloudsql.connect("primary")
        with pytest.raises(psycopg.OperationalError, match="closed the connection"):
            await sync_answer_soon(cloudsql)

    assert {password[5:-1].decode() for password in seen} <= set(stand_in.issued)
    assert not stand_in.asked["connectSettings"]


async def test_logs_queries_but_not_the_account(
    stand_in: StandIn, opened: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    """The query log works on an instance too."""
    caplog.set_level(logging.DEBUG)
    async with opened(PG_QUERY_LOGGING="true") as cloudsql:
        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"

    fields = [str(vars(record)) for record in caplog.records]
    assert any("SELECT current_database()" in line for line in fields)
    assert not any(text in line for text in hidden(stand_in) for line in fields)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give a folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="s-") as name:
        yield Path(name)
