"""What tests of diagnostics and of the HTTP server share: contracts, applications, clients."""

from __future__ import annotations

from typing import Any

from msp_core.asgi import Receive, Scope, Send
from msp_core.contract import Clients, ServiceContract
from msp_core.diagnostics import Diagnostics
from msp_core.health import Health
from msp_core.platforms import Platform
from msp_core.secret import Secret

SECRET = "s3cret"
BEARER = {"Authorization": f"Bearer {SECRET}"}


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
            "clients": Clients(opened={}, missing=lambda client: f"no {client.__name__}"),
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
