"""The receiver of the dev resource: OTLP over HTTP in, JSON out. A process of its own.

| request | answer |
|---|---|
| `POST /v1/traces`, `/v1/metrics`, `/v1/logs` | what OTLP says; protobuf, gzip or not |
| `GET /` | the paths of the answers below |
| `GET /traces` | a summary of each trace, the newest first |
| `GET /traces/<trace id>` | its spans |
| `GET /metrics-received` | the newest point of each metric |
| `GET /counts` | how much was received since the start |
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from msp_opentelemetry._receiver.store import Store

_GZIP = 16 + zlib.MAX_WBITS


class Receiver(ThreadingHTTPServer):
    """HTTP server on 127.0.0.1 in front of a store.

    Args:
        port: 0 for a free one.
        store: gets what is received.
    """

    def __init__(self, port: int, store: Store) -> None:
        super().__init__(("127.0.0.1", port), _Exchange)
        self.store = store


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else answers wait for the acknowledgement of their headers

    @property
    def _store(self) -> Store:
        store: Store = self.server.store  # type: ignore[attr-defined]  # our own server's
        return store

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        take = {
            "/v1/traces": self._store.add_traces,
            "/v1/metrics": self._store.add_metrics,
            "/v1/logs": self._store.add_logs,
        }.get(self.path)
        if take is None:
            self._answer(404, None)
            return
        try:
            gzipped = self.headers.get("content-encoding") == "gzip"
            take(zlib.decompress(body, _GZIP) if gzipped else body)
        except (DecodeError, zlib.error):
            self._answer(400, None)
            return
        self._send(200, "application/x-protobuf", b"")  # the empty message: all was taken

    def do_GET(self) -> None:
        path, _, rest = self.path.strip("/").partition("/")
        given: Any = None
        if not path:
            given = ["/traces", "/metrics-received", "/counts"]
        elif path == "traces":
            given = self._store.trace(rest) if rest else self._store.traces()
        elif path == "metrics-received":
            given = self._store.metrics()
        elif path == "counts":
            given = self._store.counts()
        self._answer(404 if given is None else 200, given)

    def _answer(self, status: int, value: Any) -> None:  # noqa: ANN401 - JSON
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the base's signature
        """Keep quiet about requests."""


def main(arguments: Sequence[str]) -> None:
    """Receive until the process is ended.

    Args:
        arguments: port, and the file that keeps traces.
    """
    port, file = arguments
    with Receiver(int(port), Store(Path(file))) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
