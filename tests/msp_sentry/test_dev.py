"""The dev resource: a receiver in a process of its own."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from msp_core import open_contract
from msp_core.dev import DevResources
from msp_sentry._dev import sentry_receiver
from tests.msp_sentry.conftest import Service, raised


async def test_keeps_events(tmp_path: Path) -> None:
    """A service that gets its variables reports to it; events stay when it is started again."""
    with DevResources({"sentry": sentry_receiver}, tmp_path) as resources:
        environ = {"PORT": "0", **resources.environ}
        async with open_contract(environ, Service(), plugins=("sentry",)):
            logging.getLogger("x").error("wrong", exc_info=raised(OSError()))
        resources.stop()
        resources.start()
        url = urlsplit(resources.environ["SENTRY_DSN"])
        async with httpx.AsyncClient() as client:
            shown = (await client.get(f"http://127.0.0.1:{url.port}/events")).json()

    assert [event["logentry"]["message"] for event in shown] == ["wrong"]
    assert len(list((tmp_path / "sentry" / "envelopes").glob("*.envelope"))) == 1
