"""RESTServer: HTTP for the routes; a thread per connection."""

from __future__ import annotations

import json
import select
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msp_bigquery_emulator._addresses import reachable
from msp_bigquery_emulator._errors import BigQueryError
from msp_bigquery_emulator._rest.bodies import read_body
from msp_bigquery_emulator._rest.hosts import require_local
from msp_bigquery_emulator._rest.request import Answer, Request
from msp_bigquery_emulator._rest.routes import Routes


class RESTServer:
    """Serves the REST API; who can connect can do everything."""

    def __init__(self, routes: Routes, host: str, port: int) -> None:
        """Bind a port, 0 for a free one, of an address.

        Raises:
            OSError: the port is taken.
        """
        self._host = host
        self._server = _Server(routes, host, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> str:
        """The URL to give to clients."""
        return f"http://{reachable(self._host)}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer the requests that are here, and no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()  # waits for the connections' threads


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, routes: Routes, host: str, port: int) -> None:
        self.routes = routes
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as in the base class
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        """Say nothing: the client left in the middle."""

    def end_connections(self) -> None:
        """Let each connection write its answer and read no further request."""
        with self._lock:
            for connection in self._connections:
                connection.shutdown(socket.SHUT_RD)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "msp-bigquery-emulator"
    wbufsize = -1  # headers and body in one write: in two they would wait for each other's ACK
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer a request."""
        self._answer()

    do_HEAD = do_GET  # noqa: N815 - names of the base class
    do_POST = do_GET  # noqa: N815 - names of the base class
    do_PUT = do_GET  # noqa: N815 - same
    do_PATCH = do_GET  # noqa: N815 - same
    do_DELETE = do_GET  # noqa: N815 - same

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            require_local(headers)
            answer = self._route(headers, read_body(self.rfile, headers))
        except BigQueryError as refused:  # what follows on this connection is not known
            self.close_connection = True
            close = {"Connection": "close"}
            answer = Answer(refused.body, status=refused.status, headers=close)
        except ConnectionError:  # we are stopping: without an answer the client tries again
            self.close_connection = True
            return
        self._write(answer)

    def _route(self, headers: dict[str, str], content: bytes) -> Answer:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request({}, query, headers, content, self._has_left)
        method = "GET" if self.command == "HEAD" else self.command
        return self.server.routes.answer(method, url.path, request)

    def _has_left(self) -> bool:
        """Return whether the client has closed the connection."""
        try:
            readable = select.select([self.connection], [], [], 0)[0]
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        if answer.body is not None:
            self.send_header("Content-Type", "application/json; charset=UTF-8")
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as in the base class
        """Write nothing: there is one line per request otherwise."""
