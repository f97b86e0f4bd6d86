"""What the tests of msp_redis share: a contract, authorities, and a TLS door to a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit

import pytest

from msp_core import Contract
from tests.msp_redis.authority import Authority

TLSDoor = Callable[[Authority, str], AbstractAsyncContextManager[str]]
"""(authority, address in the certificate) -> rediss:// URL of a proxy to the real server."""


@pytest.fixture
def contract() -> Contract:
    """Give the one thing this plugin reads of a contract: a name, not valid as a client's."""
    return cast("Contract", SimpleNamespace(name="guest book"))


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Give a certificate authority."""
    return Authority.make("authority of the tests")


@pytest.fixture(scope="session")
def other_authority() -> Authority:
    """Give a second certificate authority."""
    return Authority.make("other authority of the tests")


@pytest.fixture
def tls_door(tmp_path: Path, redis_environ: Mapping[str, str]) -> TLSDoor:
    """Give a function that opens a TLS door to the real server."""
    server = urlsplit(redis_environ["REDIS_ENDPOINT"])

    @contextlib.asynccontextmanager
    async def door(authority: Authority, address: str) -> AsyncIterator[str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner_reader, inner_writer = await asyncio.open_connection(server.hostname, server.port)
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

        context = authority.server_context(address, tmp_path)
        listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            yield f"rediss://127.0.0.1:{port}/0"

    return door


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # the other side went away, which ends the copying
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
