"""A front that makes a local PostgreSQL an instance of Cloud SQL: TLS, certificate, token."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable

CANCEL, TLS, GSS = 80877102, 80877103, 80877104


class Front:
    """Accepts at one address, checks who comes, and passes the rest on.

    Args:
        backend: port of the PostgreSQL on 127.0.0.1; its user `postgres` needs no password.
        context: () -> the TLS side, asked for each connection.
        admit: (user, password) -> whether to let them in.
        certificate_demanded: () -> whether a client must show a certificate.
    """

    def __init__(
        self,
        backend: int,
        context: Callable[[], ssl.SSLContext],
        admit: Callable[[str, str], bool],
        certificate_demanded: Callable[[], bool],
    ) -> None:
        self._backend = backend
        self._context = context
        self._admit = admit
        self._certificate_demanded = certificate_demanded
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, address, port)

    async def stop(self) -> None:
        """Stop listening, and cut every connection."""
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            await self._serve(reader, writer)
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code, _ = await _startup(reader)
        if code != TLS:
            writer.write(_error("08P01", "connection requires TLS"))
            return
        writer.write(b"S")
        await writer.start_tls(self._context())
        code, body = await _startup(reader)
        if code == CANCEL:
            await self._pass_on(reader, writer, code, body)
            return
        parts = body.rstrip(b"\0").split(b"\0")
        named = dict(zip(parts[::2], parts[1::2], strict=True))
        if self._certificate_demanded() and not writer.get_extra_info("peercert"):
            writer.write(_error("28000", "connection requires a valid client certificate"))
            return
        writer.write(b"R" + struct.pack("!II", 8, 3))  # AuthenticationCleartextPassword
        password = await _password(reader)
        user = named[b"user"].decode()
        if not self._admit(user, password):
            text = f'password authentication failed for user "{user}"'
            writer.write(_error("28P01", text))
            await writer.drain()
            return
        named[b"user"] = b"postgres"
        parts = [part for pair in named.items() for part in pair]
        await self._pass_on(reader, writer, code, b"\0".join(parts) + b"\0\0")

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, code: int, body: bytes
    ) -> None:
        backend, backend_writer = await asyncio.open_connection("127.0.0.1", self._backend)
        try:
            backend_writer.write(struct.pack("!II", len(body) + 8, code) + body)
            pipes = [_pipe(reader, backend_writer), _pipe(backend, writer)]
            tasks = [asyncio.ensure_future(pipe) for pipe in pipes]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            backend_writer.transport.abort()


class ProxyFront(Front):
    """What Google's connector speaks to: TLS at once, certificates demanded, no password."""

    async def start(self, address: str, port: int) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._connected, address, port, ssl=self._context()
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code, body = await _startup(reader)
        parts = body.rstrip(b"\0").split(b"\0")
        named = dict(zip(parts[::2], parts[1::2], strict=True))
        user = named[b"user"].decode()
        assert writer.get_extra_info("peercert")
        if not self._admit(user, ""):
            text = f'Cloud SQL IAM service account authentication failed for user "{user}"'
            writer.write(_error("28P01", text))
            await writer.drain()
            return
        named[b"user"] = b"postgres"
        parts = [part for pair in named.items() for part in pair]
        await self._pass_on(reader, writer, code, b"\0".join(parts) + b"\0\0")


async def _startup(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    length, code = struct.unpack("!II", await reader.readexactly(8))
    return code, await reader.readexactly(length - 8)


async def _password(reader: asyncio.StreamReader) -> str:
    kind, length = struct.unpack("!cI", await reader.readexactly(5))
    assert kind == b"p"
    return (await reader.readexactly(length - 4)).rstrip(b"\0").decode()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def _error(code: str, text: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C{code}\0M{text}\0\0".encode()
    return b"E" + struct.pack("!I", len(fields) + 4) + fields
