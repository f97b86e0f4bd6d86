"""Diagnostics in a WSGI process: where the checks run."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import httpx
import pytest

from msp_core.health import Check, Health
from tests.msp_core.diagnostics_interface import ask_wsgi
from tests.msp_core.http_service import (
    diagnostics,
    started,
    wsgi_app,
)


class TestWSGIThreads:
    """Where checks run when the caller is a thread of a WSGI server."""

    async def test_on_the_loop_the_clients_belong_to(self) -> None:
        """With a loop at hand, checks run on it."""
        loops = []

        async def check() -> None:
            loops.append(asyncio.get_running_loop())

        health = started(Health(cache=0))
        health.add(Check("redis", check))
        await ask_wsgi(diagnostics(health=health).wsgi(wsgi_app), "GET", "/-/ready")

        assert loops == [asyncio.get_running_loop()]

    def test_without_a_loop_on_one_of_their_own(self) -> None:
        """In a plain WSGI process probes of several threads are answered, one round at a time."""
        health = started(Health(cache=30))
        runs = []

        async def check() -> None:
            runs.append(1)

        health.add(Check("redis", check))
        app = diagnostics(health=health).wsgi(wsgi_app)
        statuses = []

        def probe() -> None:
            with httpx.Client(
                transport=httpx.WSGITransport(app=app), base_url="http://test"
            ) as client:
                statuses.append(client.get("/-/ready").status_code)

        threads = [threading.Thread(target=probe) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses == [200] * 8
        assert len(runs) == 1

    async def test_a_stuck_loop_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the loop does not answer for five seconds, the probe does."""
        app = diagnostics().wsgi(wsgi_app)
        waits: list[float | None] = []
        result = Future.result

        def hurry(future: Future[Any], timeout: float | None = None) -> Any:
            waits.append(timeout)
            return result(future, 0.01)

        monkeypatch.setattr(Future, "result", hurry)

        # Called on the loop itself, so that the loop is stuck for as long as the call takes.
        with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://test") as client:
            response = client.get("/-/live")  # noqa: ASYNC212 - blocking is the point

        assert (response.status_code, response.text) == (503, "stuck")
        assert waits == [5]
