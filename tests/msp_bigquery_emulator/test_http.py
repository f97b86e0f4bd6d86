"""The REST server: HTTP itself, and what no client of Google's sends."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from msp_bigquery_emulator._store.database import Database
from msp_bigquery_emulator.emulator import Emulator, Options


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("PUT", "/queries", 501),
        ("GET", "/datasets/nope", 404),
        ("GET", "/jobs/nope", 404),
        ("GET", "/queries/nope", 404),
    ],
)
def test_unknown_paths(rest: httpx.Client, method: str, path: str, status: int) -> None:
    """What does not exist is answered in Google's shape."""
    error = rest.request(method, path).json()["error"]

    assert (error["code"], error["errors"][0]["domain"]) == (status, "global")


def test_another_project(emulator: Emulator) -> None:
    """There is one project; a client of another is told."""
    answer = httpx.get(f"{emulator.http}/projects/other/datasets", trust_env=False)

    assert (answer.status_code, answer.json()["error"]["message"]) == (
        404,
        "Not found: Project other",
    )


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_body_that_is_no_object(rest: httpx.Client, content: bytes) -> None:
    """A body that cannot be read is a parse error."""
    answer = rest.post("/queries", content=content)

    assert answer.json()["error"]["errors"][0]["reason"] == "parseError"


def test_compressed_body(rest: httpx.Client) -> None:
    """A body may be compressed, and is refused when it only claims to be."""
    headers = {"content-encoding": "gzip"}
    body = gzip.compress(json.dumps({"query": "SELECT 1"}).encode())

    assert rest.post("/queries", content=body, headers=headers).status_code == 200
    assert rest.post("/queries", content=b"x", headers=headers).status_code == 400


def test_body_without_a_length(rest: httpx.Client) -> None:
    """A body in chunks is refused, not misread."""

    def chunks() -> Iterator[bytes]:
        yield b"{}"

    assert rest.post("/queries", content=chunks()).status_code == 400


def test_client_that_leaves(emulator: Emulator, rest: httpx.Client) -> None:
    """A client that leaves in the middle of a request harms nobody."""
    port = urlsplit(emulator.http).port
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST /projects/p/queries HTTP/1.1\r\nContent-Length: 5\r\n\r\n{")

    assert rest.get("/datasets").status_code == 200


def test_stop_with_open_connections(options: Options) -> None:
    """Connections that wait for nothing do not keep the emulator from stopping."""
    with httpx.Client(trust_env=False) as client:
        with Emulator(options) as emulator:
            client.get(f"{emulator.http}/projects/project-1/datasets")
        with pytest.raises(httpx.TransportError):
            client.get(f"{emulator.http}/projects/project-1/datasets")


def test_closed_database(options: Options, rest: httpx.Client, emulator: Emulator) -> None:
    """A request that comes too late gets no answer, so that its client tries again."""
    database = Database(options.data.parent / "other")
    reading, go = threading.Event(), threading.Event()

    def read() -> None:
        with database.read():
            reading.set()
            go.wait(10)

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait(10)
    closer = threading.Thread(target=database.close)
    closer.start()
    closer.join(0.05)
    waits = closer.is_alive()
    go.set()
    for thread in (reader, closer):
        thread.join(10)

    assert waits
    with pytest.raises(ConnectionError), database.write():
        raise AssertionError("a closed database was written")
    assert rest.get("/datasets").status_code == 200
    assert emulator.http.startswith("http://127.0.0.1:")


def test_request_while_stopping(rest: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server closes the connection of a request that it can no longer serve."""

    def closed(_: Database) -> None:
        raise ConnectionAbortedError

    monkeypatch.setattr(Database, "read", closed)
    with pytest.raises(httpx.RemoteProtocolError):
        rest.get("/datasets")
