"""Diagnostics asked through ASGI or through WSGI."""

from __future__ import annotations

import asyncio
from typing import Any
from wsgiref.validate import validator

import httpx

from tests.msp_core.http_service import (
    SECRET,
    asgi_app,
    diagnostics,
    wsgi_app,
)


async def ask_asgi(app: Any, method: str, path: str, **options: Any) -> httpx.Response:
    """Send one request to an ASGI application."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://test"
    ) as client:
        return await client.request(method, path, **options)


async def ask_wsgi(app: Any, method: str, path: str, **options: Any) -> httpx.Response:
    """Send one request to a WSGI application, from a thread as a WSGI server does."""
    with httpx.Client(
        transport=httpx.WSGITransport(app=validator(app)), base_url="http://test"
    ) as client:
        return await asyncio.to_thread(client.request, method, path, **options)


class Interface:
    """One of the two protocols, so that every test runs with both."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def endpoint(
        self, path: str, method: str = "GET", *, of: Any = None, **options: Any
    ) -> httpx.Response:
        """Ask diagnostics in front of an application that answers `app`."""
        given = of or diagnostics()
        if self.name == "asgi":
            return await ask_asgi(given.asgi(asgi_app), method, path, **options)
        return await ask_wsgi(given.wsgi(wsgi_app), method, path, **options)

    async def guarded(
        self, *, secret: str | None = SECRET, method: str = "GET", **options: Any
    ) -> httpx.Response:
        """Ask a service's own route behind the secret."""
        given = diagnostics(secret=secret)
        if self.name == "asgi":
            return await ask_asgi(given.require_secret(asgi_app), method, "/debug", **options)
        return await ask_wsgi(given.require_secret_wsgi(wsgi_app), method, "/debug", **options)
