"""Receiver: a small Sentry for a laptop, which takes what the SDK sends and shows it as JSON.

    python -m msp_sentry._receiver.server PORT FOLDER

Takes `POST /api/<project>/envelope/`. Shows `GET /events`, `/transactions` and `/check-ins`, each
a list, oldest first, and `/counts`, the number of items by type; `/` names these.
"""

from __future__ import annotations

import gzip
import json
import re
import signal
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from msp_sentry._receiver.envelope import EnvelopeError
from msp_sentry._receiver.kept import Kept

# Bytes of a compressed envelope; Sentry's own limit.
LARGEST: Final = 20 * 1024 * 1024

_ENVELOPE = re.compile(r"/api/\d+/envelope/?")
_LISTS = {"/events": "event", "/transactions": "transaction", "/check-ins": "check_in"}


class Receiver:
    """Serves on 127.0.0.1 in threads of its own, while its block lasts.

    Args:
        port: to listen on; 0 for any.
        folder: keeps the envelopes.

    Attributes:
        kept: the envelopes.
        port: listened on.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self.kept = Kept(folder)
        self._server = _Server(port, self.kept)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, kept: Kept) -> None:
        super().__init__(("127.0.0.1", port), _Exchange)
        self.kept = kept


class _Exchange(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in two packets waits 40 ms for the client to acknowledge the first
    server: _Server

    def do_POST(self) -> None:
        """Take an envelope."""
        length = int(self.headers.get("content-length", 0))
        if length > LARGEST:
            self.close_connection = True
            self._answer(413, {"detail": "envelope is too large"})
            return
        body = self.rfile.read(length)
        status, answer = self._take(body)
        self._answer(status, answer)

    def do_GET(self) -> None:
        """Show what arrived."""
        path = urlsplit(self.path).path
        if path == "/":
            self._answer(200, [*_LISTS, "/counts"])
        elif path == "/counts":
            self._answer(200, self.server.kept.counts())
        elif path in _LISTS:
            self._answer(200, self.server.kept.payloads(_LISTS[path]))
        else:
            self._answer(404, {"detail": f"expected /counts or one of {', '.join(_LISTS)}"})

    def _take(self, body: bytes) -> tuple[int, dict[str, Any]]:
        url = urlsplit(self.path)
        if _ENVELOPE.fullmatch(url.path) is None:
            return 404, {"detail": "expected /api/<project>/envelope/"}
        if "sentry_key=" not in f"{self.headers.get('x-sentry-auth', '')} {url.query}":
            return 401, {"detail": "missing authorization information: expected a sentry_key"}
        try:
            items = self.server.kept.add(self._decode(body))
        except (EnvelopeError, OSError, zlib.error, EOFError) as error:
            return 400, {"detail": f"no envelope: {error}"}
        ids = [item.payload["event_id"] for item in items if "event_id" in (item.payload or {})]
        return 200, {"id": ids[0]} if ids else {}

    def _decode(self, body: bytes) -> bytes:
        match self.headers.get("content-encoding", "identity"):
            case "identity":
                return body
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case other:
                raise EnvelopeError(f"content encoding {other!r}, expected gzip or deflate")

    def _answer(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing: the log is for what goes wrong."""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # threads inherit it
    with Receiver(int(sys.argv[1]), Path(sys.argv[2])):
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
