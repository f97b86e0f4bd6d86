"""What tests of diagnostics and of the HTTP server share: contracts, applications, clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from msp_core.asgi import Receive, Scope, Send
from msp_core.contract import ServiceContract
from msp_core.deadline import Deadline
from msp_core.diagnostics import Diagnostics
from msp_core.health import Health
from msp_core.http import HTTPServer
from msp_core.platforms import Platform
from msp_core.secret import Secret

SECRET = "s3cret"
BEARER = {"Authorization": f"Bearer {SECRET}"}

# Seconds; a deadline that is not meant to pass.
PATIENT = 30.0


def diagnostics(
    *, secret: str | None = SECRET, health: Health | None = None, msp: bool = False
) -> Diagnostics:
    """Give diagnostics of version 1.2.3; nothing is kept between two probes."""
    return Diagnostics(
        version="1.2.3",
        secret=None if secret is None else Secret(secret),
        health=health or started(Health(cache=0)),
        msp=msp,
    )


def started(health: Health) -> Health:
    """Give that health, of a process that is up."""
    health.started = True
    return health


def contract(*, port: int = 0, **given: Any) -> ServiceContract:
    """Give the contract of a service on a free port."""
    return ServiceContract(
        **{
            "name": "guestbook",
            "version": "1.2.3",
            "msp": False,
            "environment_id": "test",
            "platform": Platform.LOCAL,
            "google_cloud_project": None,
            "instance_id": "instance",
            "diagnostics": diagnostics(),
            "environ": {},
            "missing": lambda client: f"no {client.__name__}",
            "scrub": str,
            "port": port,
            **given,
        }
    )


async def answer(send: Send, body: bytes = b"app", status: int = 200) -> None:
    """Send a whole plain answer."""
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `app` to everything; know no lifespan."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await answer(send)


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer `app` to everything."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"app"]


@asynccontextmanager
async def serving(
    app: Callable[..., Any], given: ServiceContract | None = None, **options: Any
) -> AsyncIterator[HTTPServer]:
    """Serve an application while the block runs; stop it in order unless the block did."""
    server = HTTPServer(app, given or contract(), **options)
    running = asyncio.create_task(server.start())
    await server.wait_started()
    try:
        yield server
    finally:
        await server.stop(Deadline.after(PATIENT))
        await running


def client(server: HTTPServer, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """Give a client of that server."""
    return httpx.AsyncClient(base_url=f"http://{host}:{server.port}", timeout=PATIENT)


async def get(server: HTTPServer, path: str = "/", **options: Any) -> httpx.Response:
    """Ask once, on a connection of its own."""
    async with client(server) as http:
        return await http.get(path, **options)


def access_lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Give a function that returns what the access log has written so far."""
    name = "msp.http.access"
    caplog.set_level(logging.INFO, logger=name)
    return lambda: [record for record in caplog.records if record.name == name]
