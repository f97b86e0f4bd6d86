"""The receiver that stands in for a backend of telemetry on a laptop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msp_core.dev import server_folder, server_process


@contextlib.asynccontextmanager
async def receiver(folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run an OTLP receiver on a free port of 127.0.0.1 and keep its traces in a folder.

    It answers `GET /traces`, `/traces/<trace id>`, `/metrics-received` and `/counts` with JSON.
    Stops by itself when this process ends.

    Args:
        folder: this resource's own; made when missing.

    Yields:
        `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_EXPORTER_OTLP_PROTOCOL`.

    Raises:
        DevError: the folder is in use, or the receiver does not start.
    """
    async with server_folder(folder) as held:
        port = held.port()
        url = f"http://127.0.0.1:{port}"
        file = held.subfolder("data") / "traces.jsonl"
        command: list[str | Path] = [
            sys.executable,
            "-I",
            "-m",
            "msp_opentelemetry._receiver.server",
            str(port),
            file,
        ]
        async with server_process(command, folder=held, ready=functools.partial(_ask, port)):
            yield {
                "OTEL_EXPORTER_OTLP_ENDPOINT": url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            }


async def _ask(port: int) -> None:
    """Raise unless the receiver answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /counts HTTP/1.0\r\n\r\n")
        if b" 200 " not in await reader.readline():
            raise ConnectionError("the receiver does not answer")
    finally:
        writer.close()
