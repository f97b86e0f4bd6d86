"""The REST server: HTTP itself, and what no client of Google's sends."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import attrs
import httpx
import pytest

from msp_bigquery_emulator._rest import bodies as _bodies
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
    assert rest.post("/queries", content=b"no gzip", headers=headers).status_code == 400


def test_body_in_chunks(rest: httpx.Client) -> None:
    """A body whose length is not known before comes in chunks."""

    def chunks() -> Iterator[bytes]:
        yield b'{"query": "SELECT '
        yield b"1 AS a" * 1
        yield b'", "useLegacySql": false}'

    for _ in range(2):  # the connection goes on
        assert rest.post("/queries", content=chunks()).json()["totalRows"] == "1"


def send(emulator: Emulator, head: str, body: bytes = b"") -> int:
    """Send a request as it is and return the answer's status; 0 for none."""
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.http).port or 0)) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        line = connection.makefile("rb").readline()
        return int(line.split()[1]) if line else 0


QUERIES = "POST /projects/project-1/queries HTTP/1.1\r\nHost: localhost\r\n"
DATASETS = "GET /projects/project-1/datasets HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: -1", b"", 400),
        ("Content-Length: +1", b"x", 400),
        ("Content-Length: x", b"", 400),
        ("Content-Length: 536870913", b"", 413),
        ("Transfer-Encoding: chunked", b"20000001\r\n", 413),
        ("Transfer-Encoding: chunked", b"-1\r\n", 400),
        ("Transfer-Encoding: chunked", b"\r\n", 400),
        ("Transfer-Encoding: chunked", b"1" * 300, 400),
        ("Transfer-Encoding: chunked", b"5\r\n{", 0),
        (
            "Transfer-Encoding: chunked",
            b'15;x=1\r\n{"query": "SELECT 1"}\r\n0\r\nA: b\r\n\r\n',
            200,
        ),
        ("Transfer-Encoding: gzip", b"", 400),
    ],
)
def test_lengths(emulator: Emulator, head: str, body: bytes, status: int) -> None:
    """A body has the length it claims, and a limit."""
    assert send(emulator, QUERIES + head, body) == status


def test_bomb(rest: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small body cannot become one that takes all memory; one at the limit is taken."""
    monkeypatch.setattr(_bodies, "LARGEST", 1000)
    headers = {"content-encoding": "gzip"}
    statuses = [
        rest.post("/queries", content=gzip.compress(b" " * size), headers=headers).status_code
        for size in (1000, 1001, 10_000_000)
    ]

    assert statuses == [400, 413, 413]
    half = gzip.compress(b'{"query": "SELECT 1"}')[:-9]
    assert rest.post("/queries", content=half, headers=headers).status_code == 400


def test_head(rest: httpx.Client) -> None:
    """HEAD is answered as GET is, without a body."""
    get, head = rest.get("/datasets"), rest.head("/datasets")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Host: 127.0.0.1:9050", 200),
        ("Host: [::1]:9050", 200),
        ("Host: localhost", 200),
        ("Host: bigquery:9050", 200),
        ("Host: host.docker.internal:9050", 200),
        ("Host: evil.example.com:9050", 403),
        ("Host: 127.0.0.1.example.com", 403),
        ("Host: localhost\r\nOrigin: http://localhost:3000", 200),
        ("Host: localhost\r\nOrigin: https://evil.example.com", 403),
        ("Host: localhost\r\nOrigin: null", 403),
    ],
)
def test_hosts(emulator: Emulator, header: str, status: int) -> None:
    """A web page reaches nothing through a browser: neither by its own name nor from its origin."""
    assert send(emulator, f"{DATASETS}{header}\r\nConnection: close") == status


def test_host_of_all_addresses(options: Options) -> None:
    """An emulator that listens everywhere names an address that can be used here."""
    with Emulator(attrs.evolve(options, host="0.0.0.0")) as emulator:  # noqa: S104 - as in a container
        assert emulator.http.startswith("http://127.0.0.1:")
        assert emulator.grpc.startswith("127.0.0.1:")
        path = f"{emulator.http}/projects/project-1/datasets"
        assert httpx.get(path, trust_env=False).status_code == 200


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
