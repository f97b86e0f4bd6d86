"""Redis: real clients of a real server, plain and by TLS, from opening to closing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
import redis
import redis.asyncio

from msp_core import Contract
from msp_core.config import Secret, load
from msp_core.dev import free_port
from msp_redis import EndpointError, RedisConfig
from msp_redis._plugin import open_redis
from tests.forked import in_child
from tests.msp_redis.authority import Authority
from tests.msp_redis.conftest import TLSDoor


def _config(endpoint: str, folders: str | None = None) -> RedisConfig:
    environ = {"REDIS_ENDPOINT": endpoint}
    return load(RedisConfig, environ | ({"SSL_CERT_DIR": folders} if folders else {}))


async def test_gives_one_real_client_of_each_kind(
    redis_environ: Mapping[str, str], contract: Contract
) -> None:
    """Both kinds reach the server, under the service's name, and are made once."""
    async with open_redis(_config(redis_environ["REDIS_ENDPOINT"]), contract) as opened:
        client, sync_client = opened.client(), opened.sync_client()
        name = await client.client_getname()
        sync_name = await asyncio.to_thread(sync_client.client_getname)

        assert isinstance(client, redis.asyncio.Redis)
        assert isinstance(sync_client, redis.Redis)
        assert name == sync_name == "guest-book"
        assert opened.client() is client
        assert opened.sync_client() is sync_client


async def test_closes_for_good(redis_environ: Mapping[str, str], contract: Contract) -> None:
    """A client that outlived its resource would leak connections; it raises instead."""
    async with open_redis(_config(redis_environ["REDIS_ENDPOINT"]), contract) as opened:
        client, sync_client = opened.client(), opened.sync_client()
        await client.ping()
        await asyncio.to_thread(sync_client.ping)

    with pytest.raises(redis.ConnectionError):
        await client.ping()
    with pytest.raises(redis.ConnectionError):
        sync_client.ping()


async def test_nobody_gets_a_client_after_closing(
    redis_environ: Mapping[str, str], contract: Contract
) -> None:
    """Whoever asks late, in a thread that still runs, must not open anything."""
    async with open_redis(_config(redis_environ["REDIS_ENDPOINT"]), contract) as opened:
        pass

    with pytest.raises(redis.ConnectionError, match="the service has stopped"):
        opened.client()
    with pytest.raises(redis.ConnectionError, match="the service has stopped"):
        opened.sync_client()


async def test_many_threads_get_the_same_client(
    redis_environ: Mapping[str, str], contract: Contract
) -> None:
    """Threads that ask at the same time share one client."""
    async with open_redis(_config(redis_environ["REDIS_ENDPOINT"]), contract) as opened:
        clients = await asyncio.gather(*(asyncio.to_thread(opened.sync_client) for _ in range(8)))

        assert len({id(client) for client in clients}) == 1


async def test_another_process_gets_clients_of_its_own(
    redis_environ: Mapping[str, str], contract: Contract
) -> None:
    """The child of a fork shares no socket with its parent, and closes none of its clients."""
    async with open_redis(_config(redis_environ["REDIS_ENDPOINT"]), contract) as opened:
        parents, sync_parents = opened.client(), opened.sync_client()
        assert await parents.ping()
        assert sync_parents.ping()

        async def use() -> None:
            assert opened.client() is not parents
            assert opened.sync_client() is not sync_parents
            assert await opened.client().ping()
            assert opened.sync_client().ping()
            await opened.close()

        in_child(lambda: asyncio.run(use()))

        assert await parents.ping()
        assert sync_parents.ping()


async def test_opening_and_failing_take_no_long_time(contract: Contract) -> None:
    """Opening waits for no server; a use retries with pauses that stay below a second in all."""
    async with open_redis(_config(f"redis://127.0.0.1:{free_port()}"), contract) as opened:
        with pytest.raises(redis.ConnectionError):
            await opened.client().ping()

        for client in (opened.client(), opened.sync_client()):
            retry = client.connection_pool.connection_kwargs["retry"]
            pauses = [0.05 * 2**failure for failure in range(1, retry.get_retries() + 1)]
            longest = [max(retry._backoff.compute(n + 1) for _ in range(99)) for n in range(3)]
            assert len(pauses) == 3
            assert all(seen <= pause for seen, pause in zip(longest, pauses, strict=True))
            assert sum(pauses) < 1


async def test_the_url_s_options_win(contract: Contract) -> None:
    """Whoever knows the server better than we can say so in the endpoint."""
    endpoint = f"redis://127.0.0.1:{free_port()}/?max_connections=7&socket_connect_timeout=9"
    async with open_redis(_config(endpoint), contract) as opened:
        pool = opened.client().connection_pool

        assert pool.max_connections == 7
        assert pool.connection_kwargs["socket_connect_timeout"] == 9
        assert pool.connection_kwargs["health_check_interval"] == 20


@pytest.mark.parametrize("option", ["db=hunter2", "hunter2=1", "ssl_cert_reqs=hunter2"])
async def test_an_option_that_does_not_fit_is_not_shown(contract: Contract, option: str) -> None:
    """Of a config made by hand, which nobody judged; redis-py's own error may quote the URL."""
    config = RedisConfig(endpoint=Secret(f"rediss://localhost/?{option}"))
    async with open_redis(config, contract) as opened:
        for ask in (opened.client, opened.sync_client):
            with pytest.raises(EndpointError, match="REDIS_ENDPOINT is wrong") as caught:
                ask()

            assert "hunter2" not in str(caught.value)
            assert caught.value.__suppress_context__
            assert caught.value.exit_code == 78


async def test_trusts_plain_pem_files_for_tls(
    tmp_path: Path,
    tls_door: TLSDoor,
    contract: Contract,
    authority: Authority,
    other_authority: Authority,
) -> None:
    """A server certified by any of several mounted authorities is trusted, by both clients."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "other.pem").write_text(other_authority.pem)
    (second / "server-ca.pem").write_text(authority.pem)
    async with (
        tls_door(authority, "127.0.0.1") as endpoint,
        open_redis(_config(endpoint, f"{first}:{second}"), contract) as opened,
    ):
        assert await opened.client().ping()
        assert await asyncio.to_thread(opened.sync_client().ping)


async def test_refuses_a_server_of_an_unknown_authority(
    tmp_path: Path, tls_door: TLSDoor, contract: Contract, authority: Authority
) -> None:
    """Without the authority's PEM the connection fails, and says why."""
    async with (
        tls_door(authority, "127.0.0.1") as endpoint,
        open_redis(_config(endpoint, str(tmp_path / "empty")), contract) as opened,
    ):
        with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await opened.client().ping()
        with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await asyncio.to_thread(opened.sync_client().ping)


async def test_refuses_a_certificate_for_another_address(
    tmp_path: Path, tls_door: TLSDoor, contract: Contract, authority: Authority
) -> None:
    """A trusted authority's other servers must not pass for this one."""
    (tmp_path / "authorities").mkdir()
    (tmp_path / "authorities" / "ca.pem").write_text(authority.pem)
    async with (
        tls_door(authority, "127.0.0.2") as endpoint,
        open_redis(_config(endpoint, str(tmp_path / "authorities")), contract) as opened,
    ):
        with pytest.raises(redis.ConnectionError, match="IP address mismatch"):
            await opened.client().ping()
