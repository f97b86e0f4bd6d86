"""What operations do to a running service: stop it under load, take its database away."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

import httpx
import psutil
import pytest

from msp_core.dev import DevResources
from tests.msp_example.conftest import StartExample

_PATIENCE = 30.0  # seconds; only reached when something is broken


class Load:
    """Requests from several connections until the service accepts no more.

    Attributes:
        answered: how many requests had which status.
        lost: what went wrong with requests whose connection had been accepted.
    """

    def __init__(self, port: int, *, kept: int, single: int) -> None:
        self.answered: Counter[int] = Counter()
        self.lost: list[str] = []
        self.under_way = threading.Event()
        self._port = port
        clients = [self._kept] * kept + [self._single] * single
        self._threads = [threading.Thread(target=self._run, args=(one,)) for one in clients]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait until every client was refused a connection."""
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _run(self, client: Callable[[http.client.HTTPConnection], None]) -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            try:
                client(connection)
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                return
            finally:
                connection.close()

    def _kept(self, connection: http.client.HTTPConnection) -> None:
        """Ask again and again on one connection, until the service says it will close it."""
        while self._ask(connection).getheader("connection") != "close":
            pass

    def _single(self, connection: http.client.HTTPConnection) -> None:
        """Ask once."""
        self._ask(connection)

    def _ask(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        connection.request("GET", "/visits")
        answer = connection.getresponse()
        answer.read()
        self.answered[answer.status] += 1
        if self.answered[200] > 100:
            self.under_way.set()
        return answer


def test_sigterm_under_load_loses_no_request(
    start_example: StartExample, databases: Mapping[str, str]
) -> None:
    """SIGTERM under load: every accepted request is answered, exit 0, one ledger line."""
    example = start_example(databases).ready()
    load = Load(example.port, kept=5, single=3)
    load.under_way.wait(_PATIENCE)
    family = psutil.Process(example.process.pid).children(recursive=True)

    code = example.stop()
    load.wait()

    assert code == 0
    assert load.lost == []
    assert set(load.answered) == {200}
    ledgers = [line for line in example.lines() if "stopped by SIGTERM" in line["Body"]]
    assert len(ledgers) == 1
    assert not any(child.is_running() for child in family)


def test_database_outage(
    start_example: StartExample,
    stoppable_postgresql: DevResources,
    redis_environ: Mapping[str, str],
) -> None:
    """Without its database the service stays alive, turns unready, and recovers by itself."""
    environ = {**stoppable_postgresql.environ, **redis_environ}
    example = start_example(environ).ready()

    stoppable_postgresql.stop()
    _until(lambda: example.get("/-/ready").status_code == 503)

    assert example.get("/-/live").status_code == 200
    assert example.get("/-/ready").text.strip() == "unhealthy"

    stoppable_postgresql.start()
    _until(lambda: example.get("/-/ready").status_code == 200)

    assert example.get("/visits").json()["postgresql"] >= 1
    assert example.stop() == 0
    turned = [line["Body"] for line in example.lines() if "msp.health" in str(line)]
    assert len(turned) >= 2


def test_probe_storm_is_answered(start_example: StartExample, databases: Mapping[str, str]) -> None:
    """However many probes arrive, they are all answered, and none appears in the access log."""
    example = start_example(databases).ready()
    with httpx.Client(limits=httpx.Limits(max_connections=50)) as client:
        threads = [threading.Thread(target=_probe, args=(client, example.port)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_PATIENCE)

    assert example.stop() == 0
    assert "msp.http.access" not in example.printed


def _probe(client: httpx.Client, port: int) -> None:
    for _ in range(10):
        assert client.get(f"http://127.0.0.1:{port}/-/ready").status_code == 200


def _until(condition: Callable[[], bool]) -> None:
    """Wait for the condition, asking often."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > end:
            pytest.fail("the condition never came true")
        time.sleep(0.05)
