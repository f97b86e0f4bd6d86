"""IAM login to an instance: the real psycopg, google-auth and OpenSSL against a stand-in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import attrs
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from msp_cloudsql import CloudSQL, CloudSQLConfig
from msp_cloudsql._plugin import open_cloudsql
from msp_core import Contract
from msp_core.config import load
from tests.msp_cloudsql.stand_in import ENVIRON, INSTANCE, USER, StandIn

Opening = Callable[..., contextlib.AbstractAsyncContextManager[CloudSQL]]


def port_of(environ: Mapping[str, str]) -> int:
    """Return the port in a DSN."""
    found = re.search(r":(\d+)/", environ["PGDSN"])
    assert found is not None
    return int(found[1])


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


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give a folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="s-") as name:
        yield Path(name)


async def answer(cloudsql: CloudSQL) -> object:
    """Return what the database says over the pool for asyncio."""
    async with cloudsql.pool("primary").connection() as connection:
        row = await (await connection.execute("SELECT current_database()")).fetchone()
        return row and row[0]


async def sync_answer(cloudsql: CloudSQL) -> object:
    """Return what the database says over the pool for threads."""

    def use() -> object:
        with cloudsql.sync_pool("primary").connection() as connection:
            row = connection.execute("SELECT current_database()").fetchone()
            return row and row[0]

    return await asyncio.to_thread(use)


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


async def test_an_expired_token_is_replaced(stand_in: StandIn, opened: Opening) -> None:
    """Whatever is left of a token's life, the next connection has one that is good."""
    stand_in.token_life = 200.0  # less than the margin
    async with opened() as cloudsql:
        for _ in range(2):
            await (await cloudsql.connect("primary")).close()

    (_, first), (_, second) = stand_in.logins
    assert first != second


async def test_a_revoked_token_is_replaced(stand_in: StandIn, opened: Opening) -> None:
    """A token that ends before its time costs one more try, in pools and without."""
    async with opened() as cloudsql:
        await answer(cloudsql)
        stand_in.revoke_tokens()
        await (await cloudsql.connect("primary")).close()

        assert await sync_answer(cloudsql) == "primary"


async def test_a_revoked_token_is_replaced_for_threads(stand_in: StandIn, opened: Opening) -> None:
    """Threads get the same second try."""
    async with opened() as cloudsql:
        await answer(cloudsql)
        stand_in.revoke_tokens()

        assert await sync_answer(cloudsql) == "primary"


async def test_connections_end_with_their_token(stand_in: StandIn, opened: Opening) -> None:
    """A pooled connection whose token has ended is closed and another one made."""
    stand_in.token_life = 0.5
    async with opened() as cloudsql:
        pool, sync_pool = cloudsql.pool("primary"), cloudsql.sync_pool("primary")
        await pool.wait()
        await asyncio.to_thread(sync_pool.wait)
        stand_in.token_life = 3600.0
        async with asyncio.timeout(20):
            while not (_lost(pool) and _lost(sync_pool)):
                assert await answer(cloudsql) == "primary"
                assert await sync_answer(cloudsql) == "primary"

    assert pool.max_lifetime <= 3000


def _lost(pool: AsyncConnectionPool | ConnectionPool) -> int:
    """Return how many connections were not fit to be given out."""
    return pool.get_stats().get("connections_lost", 0)


async def test_no_option_makes_connections_live_longer(opened: Opening) -> None:
    """A day would be longer than any token lives; checks of one's own are still made."""
    seen = []

    async def note(connection: psycopg.AsyncConnection) -> None:
        seen.append(connection)

    async with opened() as cloudsql:
        pool = cloudsql.pool("primary", max_lifetime=86400.0, check=note)
        sync_pool = cloudsql.sync_pool("primary", check=None)
        async with cloudsql.pool("postgres", check=None).connection() as connection:
            await connection.execute("SELECT 1")

        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"
        assert pool.max_lifetime == sync_pool.max_lifetime == 3000.0
    assert len(seen) == 1


async def test_shows_a_certificate_where_it_is_demanded(stand_in: StandIn, opened: Opening) -> None:
    """One certificate serves every connection of the process."""
    stand_in.certificate_demanded = True
    async with opened() as cloudsql:
        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"

    assert stand_in.asked["generateEphemeralCert"] == 1


async def test_a_certificate_that_ends_soon_is_replaced(stand_in: StandIn, opened: Opening) -> None:
    """Less than four minutes left is too little for the next connection."""
    stand_in.certificate_demanded = True
    stand_in.certificate_life = 200.0
    async with opened() as cloudsql:
        for _ in range(2):
            await (await cloudsql.connect("primary")).close()

    assert stand_in.asked["generateEphemeralCert"] == 2


async def test_a_certificate_that_is_refused_is_replaced(
    stand_in: StandIn, opened: Opening
) -> None:
    """An instance that forgot whom it trusts is asked for a new certificate."""
    stand_in.certificate_demanded = True
    async with opened() as cloudsql:
        await (await cloudsql.connect("primary")).close()
        stand_in.trust_nobody()
        await (await cloudsql.connect("primary")).close()

    assert stand_in.asked["generateEphemeralCert"] == 2


async def test_an_instance_that_begins_to_demand_a_certificate(
    stand_in: StandIn, opened: Opening
) -> None:
    """A changed setting is noticed at the first refusal."""
    async with opened() as cloudsql:
        await (await cloudsql.connect("primary")).close()
        stand_in.certificate_demanded = True
        await (await cloudsql.connect("primary")).close()

    assert stand_in.asked["generateEphemeralCert"] == 1


async def test_survives_a_restart(stand_in: StandIn, opened: Opening) -> None:
    """Pools come back with the instance; a look-up that finds nothing new is not repeated."""
    async with opened() as cloudsql:
        pool = cloudsql.pool("primary", reconnect_timeout=0.1)
        sync_pool = cloudsql.sync_pool("primary", reconnect_timeout=0.1)
        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"
        stand_in.stop()
        with pytest.raises(PoolTimeout, match=f"cannot connect to instance '{INSTANCE}'"):
            await pool.getconn(0.5)
        with pytest.raises(PoolTimeout, match=f"cannot connect to instance '{INSTANCE}'"):
            await asyncio.to_thread(sync_pool.getconn, 0.5)
        stand_in.start()

        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"
    assert stand_in.asked["connectSettings"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")
async def test_follows_a_failover(stand_in: StandIn, opened: Opening) -> None:
    """An instance that comes back at another address is found there, without a restart."""
    async with opened() as cloudsql:
        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"
        stand_in.stop()
        stand_in.start("127.0.0.2")

        assert await answer(cloudsql) == await sync_answer(cloudsql) == "primary"
        async with cloudsql.pool("primary").connection() as connection:
            assert connection.info.hostaddr == "127.0.0.2"
    assert stand_in.asked["connectSettings"] == 2


async def test_follows_a_new_ca(stand_in: StandIn, opened: Opening) -> None:
    """A rotated CA is fetched when the old one no longer vouches for the server."""
    async with opened() as cloudsql:
        await (await cloudsql.connect("primary")).close()
        stand_in.rotate_ca()
        await (await cloudsql.connect("primary")).close()
        stand_in.rotate_ca()
        with pytest.raises(psycopg.OperationalError, match="SSL error"):
            await cloudsql.connect("primary")

    assert stand_in.asked["connectSettings"] == 2  # once in ten seconds


async def test_a_shared_ca_vouches_by_name(stand_in: StandIn, opened: Opening) -> None:
    """The region's CA vouches for many instances, so the certificate must name this one."""
    stand_in.settings = {"dnsName": "main.sql.example."}
    stand_in.rotate_ca("main.sql.example", shared=True)
    async with opened() as cloudsql:
        async with await cloudsql.connect("primary") as connection:
            used = connection.info.get_parameters()
        stand_in.rotate_ca("other.sql.example", shared=True)
        with pytest.raises(psycopg.OperationalError, match="does not match host name"):
            await cloudsql.connect("primary")

    assert (used["sslmode"], used["host"]) == ("verify-full", "main.sql.example")


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


def hidden(stand_in: StandIn, *more: str) -> set[str]:
    """Return what must not be seen."""
    return {USER, *more, *stand_in.issued}


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


async def sync_answer_soon(cloudsql: CloudSQL) -> None:
    """Ask the pool for threads, for half a second."""
    await asyncio.to_thread(cloudsql.sync_pool("primary").getconn, 0.5)


async def test_a_silent_admin_api_does_not_hurt_what_is_known(
    stand_in: StandIn, opened: Opening
) -> None:
    """While metadata and tokens cannot be renewed, what was given before serves on."""
    stand_in.token_life = 200.0  # wants to be renewed, but still good
    async with opened() as cloudsql:
        await (await cloudsql.connect("primary")).close()
        stand_in.failing = {"token", "connectSettings"}
        await (await cloudsql.connect("primary")).close()
        stand_in.stop()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            await cloudsql.connect("primary")
        stand_in.start()
        await (await cloudsql.connect("primary")).close()

    assert len({password for _, password in stand_in.logins}) == 1


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
