"""What ends or changes under a running service: tokens, certificates, CA, address, server."""

from __future__ import annotations

import asyncio
import sys

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from tests.msp_cloudsql.iam import Opening, answer, sync_answer
from tests.msp_cloudsql.stand_in import INSTANCE, StandIn


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
