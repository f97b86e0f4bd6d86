"""Google's connector: the last resort, for threads only, with a deadline of ours."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from msp_cloudsql._instance import connector as _connector
from msp_cloudsql._instance.connector import Connector, is_installed
from msp_cloudsql._instance.errors import InstanceError
from tests.msp_cloudsql.iam import Opening, hidden, sync_answer
from tests.msp_cloudsql.stand_in import INSTANCE, USER, StandIn

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems have one loopback address"
)


async def test_reaches_a_public_address(stand_in: StandIn, opened: Opening) -> None:
    """Pools for threads work, each connection authenticated by its certificate."""
    with stand_in.public():
        async with opened() as cloudsql:
            assert await sync_answer(cloudsql) == "primary"
            assert await asyncio.to_thread(_applications, cloudsql.sync_pool("primary")) == (
                "guestbook",
            )

    assert stand_in.asked_with_token
    assert stand_in.asked["credentials"] == 1


def _applications(pool: Any) -> object:
    with pool.connection() as connection:
        return connection.execute("SELECT current_setting('application_name')").fetchone()


async def test_a_pool_for_asyncio_names_the_other_ways(stand_in: StandIn, opened: Opening) -> None:
    """The connector gives psycopg no connections for asyncio."""
    with stand_in.public():
        async with opened() as cloudsql:
            with pytest.raises(
                psycopg.OperationalError, match=r"private IP.*serves sync_pool only"
            ):
                await cloudsql.pool("primary").getconn(1.0)
            with pytest.raises(psycopg.OperationalError, match=r"mount its socket below /cloudsql"):
                await cloudsql.connect("primary")


async def test_says_what_to_install(
    stand_in: StandIn, opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra there is no way to a public address."""

    def nothing(_: str) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    stand_in.settings = {"ipAddresses": []}
    async with opened() as cloudsql:
        with pytest.raises(psycopg.OperationalError, match=r"msp-cloudsql\[connector\]"):
            await asyncio.to_thread(cloudsql.sync_pool("primary").getconn, 1.0)


async def test_a_wrong_user_is_refused_without_a_name(stand_in: StandIn, opened: Opening) -> None:
    """The same clear error as on the direct way."""
    with stand_in.public():
        async with opened(PGUSER="nobody@p.iam") as cloudsql:
            with pytest.raises(psycopg.OperationalError, match="expected PGUSER to be") as caught:
                await asyncio.to_thread(cloudsql.sync_pool("primary").getconn, 1.0)

    assert not any(text in str(caught.value) for text in hidden(stand_in, "nobody@p.iam"))


async def test_other_failures_show_no_text(stand_in: StandIn, opened: Opening) -> None:
    """What the connector says may name the account."""
    with stand_in.public():
        async with opened() as cloudsql:
            stand_in.rotate_ca()  # but the proxy still has the old one
            with pytest.raises(psycopg.OperationalError, match="connector found no way") as caught:
                await asyncio.to_thread(cloudsql.sync_pool("primary").getconn, 2.0)

    assert USER not in str(caught.value)


@pytest.mark.parametrize("fails", [False, True])
def test_waits_no_longer_than_its_deadline(
    fails: bool,  # noqa: FBT001 - a parameter of the test
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connector heeds no timeout while it connects; what comes late is closed."""
    monkeypatch.setattr(_connector, "_LIMIT", 0.05)
    slow = Slow(fails=fails)
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(Connector, "_make_connector", lambda _: (slow, loop))
    connector = Connector(INSTANCE, USER, stand_in.google, slow)  # type: ignore[arg-type]  # a fake

    with pytest.raises(InstanceError, match=r"within 0\.05 s"):
        connector.connect({"dbname": "primary"})
    slow.go.set()
    assert slow.closed.wait(20)
    connector.close()
    loop.close()
    with pytest.raises(InstanceError, match="the service has stopped"):
        connector.connect({"dbname": "primary"})


class Slow:
    """A connector that waits to be let."""

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails
        self.go = threading.Event()
        self.closed = threading.Event()

    def connect(self, *_: object, **__: object) -> Slow:
        self.go.wait(20)
        if self.fails:
            self.closed.set()
            raise ValueError
        return self

    def close(self) -> None:
        self.closed.set()


def test_knows_whether_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is looked for, not imported."""
    assert is_installed()
    found: Callable[[str], None] = lambda _: None  # noqa: E731 - stands in for a function
    monkeypatch.setattr(importlib.util, "find_spec", found)
    assert not is_installed()
