"""RestServer: answers like BigQuery's REST interface, or as badly as a test asks for."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.google_roles import allowed

Answer = Callable[[Mapping[str, Any]], tuple[int, Any] | None]
"""(body of the request) -> status and body of the answer; None cuts the connection."""


def written(_: Mapping[str, Any]) -> tuple[int, Any]:
    """Take all rows."""
    return 200, {"kind": "bigquery#tableDataInsertAllResponse"}


def denied(message: str) -> tuple[int, Any]:
    """Refuse for lack of a right, as Google does."""
    errors = [{"reason": "accessDenied", "message": message}]
    return 403, {"error": {"code": 403, "message": message, "errors": errors}}


def failing(status: int, reason: str | None = None, message: str = "no") -> Answer:
    """Fail with a status."""
    errors = [] if reason is None else [{"reason": reason, "message": message}]
    return lambda _: (status, {"error": {"code": status, "message": message, "errors": errors}})


def cut(_: Mapping[str, Any]) -> None:
    """Close the connection without an answer."""


def refusing(refused: Mapping[int, Sequence[Mapping[str, str]]]) -> Answer:
    """Refuse rows by index, with BigQuery's errors."""
    errors = [{"index": index, "errors": list(said)} for index, said in refused.items()]
    return lambda _: (200, {"insertErrors": errors})


def smaller_than(rows: int) -> Answer:
    """Take requests of so few rows only."""
    too_large = failing(413)
    return lambda body: too_large(body) if len(body["rows"]) >= rows else written(body)


def spoiled_by(column: str) -> Answer:
    """Refuse whole requests in which a row has that column."""
    spoiled = failing(400, "invalid", "Invalid JSON payload received")

    def answer(body: Mapping[str, Any]) -> tuple[int, Any] | None:
        is_bad = any(column in row["json"] for row in body["rows"])
        return spoiled(body) if is_bad else written(body)

    return answer


class RestServer:
    """A server on a free port of 127.0.0.1; a context manager.

    Args:
        answers: of the first inserts, in order; all later ones are answered like the last.
        roles: of who asks; what they do not allow is refused, in Google's words. None: all is.
    """

    def __init__(self, *answers: Answer, roles: Collection[str] | None = None) -> None:
        self.roles = roles
        self.answers = deque(answers or (written,))
        self.bodies: list[dict[str, Any]] = []
        self.asked = threading.Semaphore(0)
        self.schema: list[dict[str, Any]] = []
        self.released = threading.Event()
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # else headers and body go in two packets, 40 ms apart

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = json.loads(self.rfile.read(length))
                if self.path.partition("?")[0].endswith("/insertAll"):
                    self.allowed("bigquery.tables.updateData", outer.answer, body)
                else:
                    self.allowed("bigquery.jobs.create", outer.reply, 501, {})

            def do_GET(self) -> None:
                reference = {"projectId": "p", "datasetId": "d", "tableId": "t"}
                table = {"tableReference": reference, "schema": {"fields": outer.schema}}
                if self.path.partition("?")[0].endswith("/data"):
                    self.allowed("bigquery.tables.getData", outer.reply, 200, {"rows": []})
                else:
                    self.allowed("bigquery.tables.get", outer.reply, 200, table)

            def allowed(self, permission: str, do: Callable[..., None], *arguments: object) -> None:
                """Do it, or refuse it."""
                if outer.roles is None or allowed(permission, outer.roles):
                    do(self, *arguments)
                else:
                    message = f"Access Denied: User does not have {permission} permission"
                    outer.reply(self, *denied(message))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128  # a burst is no outage

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The values of every row of every request."""
        with self._lock:
            return [row["json"] for body in self.bodies for row in body["rows"]]

    def hang(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Answer as usual, but only once the test released it."""
        self.released.wait(30)
        return written(body)

    def answer(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Answer one insert."""
        with self._lock:
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.popleft()
            self.bodies.append(body)
        self.asked.release()
        said = answer(body)
        if said is None:
            handler.close_connection = True
        else:
            self.reply(handler, *said)

    def reply(self, handler: BaseHTTPRequestHandler, status: int, body: object) -> None:
        """Send status and JSON in one piece."""
        payload = json.dumps(body).encode()
        handler.send_response_only(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(payload)))
        handler.end_headers()
        handler.wfile.write(payload)

    def __enter__(self) -> Self:
        """Start."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
