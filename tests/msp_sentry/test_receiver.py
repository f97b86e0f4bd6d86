"""The receiver: what it takes, what it refuses, what it shows and keeps."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import httpx
import pytest

from msp_sentry._receiver import kept as _kept
from msp_sentry._receiver.envelope import EnvelopeError, Item, parse_envelope
from msp_sentry._receiver.server import LARGEST, Receiver

AUTH = {"x-sentry-auth": "Sentry sentry_key=dev, sentry_version=7"}
EVENT = b'{"event_id":"e1"}\n{"type":"event","length":17}\n{"event_id":"e1"}\n'
CHECK_IN = b'{}\n{"type":"check_in"}\n{"check_in_id":"c1"}'


def post(
    receiver: Receiver, body: bytes, path: str = "/api/1/envelope/", **more: str
) -> httpx.Response:
    """Send an envelope."""
    url = f"http://127.0.0.1:{receiver.port}{path}"
    headers = {name.replace("_", "-"): text for name, text in more.items()}
    return httpx.post(url, content=body, headers={**AUTH, **headers})


def get(receiver: Receiver, path: str) -> httpx.Response:
    """Look at what arrived."""
    return httpx.get(f"http://127.0.0.1:{receiver.port}{path}")


class TestEnvelope:
    """The format."""

    def test_items(self) -> None:
        """Items have a length, or end with their line; what is no JSON is kept as nothing."""
        data = EVENT + b'{"type":"attachment","length":3}\na\nb\n\n{"type":"session"}\n{"sid":1}\n'

        assert parse_envelope(data) == (
            Item(type="event", payload={"event_id": "e1"}),
            Item(type="attachment", payload=None),
            Item(type="session", payload={"sid": 1}),
        )

    def test_empty(self) -> None:
        """An envelope may have no items."""
        assert parse_envelope(b"{}") == ()

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"[]\n",
            b"nonsense",
            b"{}\nnonsense\n{}",
            b'{}\n{"length":2}\n{}',
            b'{}\n{"type":"event","length":9}\n{}',
            b'{}\n{"type":"event","length":1}\n{}',
        ],
    )
    def test_refused(self, data: bytes) -> None:
        """What is no envelope is said to be none."""
        with pytest.raises(EnvelopeError):
            parse_envelope(data)


class TestTaking:
    """What is taken and refused."""

    def test_taken(self, receiver: Receiver) -> None:
        """Events are answered with their id, everything else with nothing."""
        assert post(receiver, EVENT).json() == {"id": "e1"}
        assert post(receiver, CHECK_IN).json() == {}
        assert post(receiver, b'{}\n{"type":"attachment"}\nx').json() == {}

    def test_encodings(self, receiver: Receiver) -> None:
        """Bodies may be compressed in two ways."""
        post(receiver, gzip.compress(EVENT), content_encoding="gzip")
        post(receiver, zlib.compress(EVENT), content_encoding="deflate")

        assert receiver.kept.counts() == {"event": 2}

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
    def test_wrong_encoding(self, receiver: Receiver, encoding: str) -> None:
        """A body that is not encoded as it says is refused."""
        assert post(receiver, EVENT, content_encoding=encoding).status_code == 400

    def test_refused(self, receiver: Receiver) -> None:
        """No envelope, no key, no project, or too much: the answers of Sentry."""
        url = f"http://127.0.0.1:{receiver.port}/api/1/envelope/"

        assert post(receiver, b"nonsense").status_code == 400
        assert httpx.post(url, content=EVENT).status_code == 401
        assert httpx.post(f"{url}?sentry_key=dev", content=EVENT).status_code == 200
        assert post(receiver, EVENT, path="/api/one/envelope/").status_code == 404

    def test_too_large(self, receiver: Receiver) -> None:
        """An envelope larger than Sentry takes is refused before it is read."""
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/api/1/envelope/?sentry_key=dev")
            connection.putheader("content-length", str(LARGEST + 1))
            connection.endheaders()

            assert connection.getresponse().status == 413


class TestShowing:
    """What can be asked for."""

    def test_lists_and_counts(self, receiver: Receiver) -> None:
        """Items of each kind are lists of what was sent."""
        post(receiver, EVENT)
        post(receiver, CHECK_IN)

        assert get(receiver, "/events").json() == [{"event_id": "e1"}]
        assert get(receiver, "/check-ins").json() == [{"check_in_id": "c1"}]
        assert get(receiver, "/transactions").json() == []
        assert "/check-ins" in get(receiver, "/").json()
        assert get(receiver, "/counts?now").json() == {"event": 1, "check_in": 1}
        assert get(receiver, "/nothing").status_code == 404

    def test_kept(self, receiver: Receiver, tmp_path: Path) -> None:
        """What arrived is there after a restart."""
        post(receiver, EVENT)
        with Receiver(0, tmp_path / "envelopes") as again:
            assert get(again, "/events").json() == [{"event_id": "e1"}]

    def test_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest envelopes make room for new ones, also when the clock stands still."""
        monkeypatch.setattr(_kept, "KEPT", 2)
        monkeypatch.setattr(time, "time_ns", lambda: 1)
        kept = _kept.Kept(tmp_path)
        for number in range(4):
            kept.add(f'{{}}\n{{"type":"event"}}\n{number}'.encode())

        assert kept.payloads("event") == [2, 3]
        assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process(tmp_path: Path, number: signal.Signals) -> None:
    """As a process it serves until it is asked to stop, and then ends in order."""
    from msp_core.dev import free_port  # noqa: PLC0415 - only this test needs a port

    port = free_port()
    kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
    command = [sys.executable, "-m", "msp_sentry._receiver.server", str(port), str(tmp_path)]
    process = subprocess.Popen(command, env=kept)  # noqa: S603 - our own code
    try:
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(transport=transport) as client:
            counts = client.get(f"http://127.0.0.1:{port}/counts").json()
        process.send_signal(number)
        code = process.wait(30)
    finally:
        process.kill()

    assert counts == {}
    assert code == 0
