"""Endpoint: an HTTP server that stands in for a receiver of telemetry, a healthy or a sick one."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs


@attrs.frozen
class Received:
    """One request.

    Attributes:
        path: without anything else.
        headers: names in lower case.
        body: as it was sent.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen
class Answer:
    """One answer.

    Attributes:
        status: of HTTP.
        body: what is sent.
        content_type: of the body; none for the empty text.
    """

    status: int
    body: bytes = b""
    content_type: str = ""


class Endpoint(ThreadingHTTPServer):
    """Answers every request with the same status and body, at once or when it is let go.

    Attributes:
        received: the requests so far.
        going: not set while answers are held back.

    Args:
        status: of the answers.
        body: of the answers.
        tls: of an HTTPS server; None for HTTP.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, status: int = 200, body: bytes = b"", *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.answer = status, body
        self.received: list[Received] = []
        self.going = threading.Event()
        self.going.set()

    @property
    def url(self) -> str:
        """Return its base URL."""
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def respond(self, _request: Received) -> Answer:
        """Return the answer to one request."""
        return Answer(*self.answer)

    def paths(self) -> list[str]:
        """Return the paths that were asked for so far."""
        return [request.path for request in self.received]

    @contextmanager
    def serving(self) -> Iterator[Endpoint]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.going.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Exchange(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.path, headers, body)
        self.server.received.append(request)
        self.server.going.wait()
        answer = self.server.respond(request)
        try:
            self.send_response(answer.status)
            if answer.content_type:
                self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:
            self.close_connection = True  # whoever asked has given up

    do_GET = do_POST  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""
