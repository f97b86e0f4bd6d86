"""Exchange: one request and its answer."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from msp_core._text.stacks import task_stack
from msp_core.asgi import CRASHED, Message, Scope, Send, quoted_path
from msp_core.http._body import Body

_REQUEST_ID = b"x-request-id"
_LENGTH = len(_REQUEST_ID)
_STATUS = {
    "websocket.accept": 101,
    "websocket.close": 403,  # only when it comes first: the handshake was refused
}

Header = tuple[bytes, bytes]


class Exchange:
    """One request and its answer, which passes through `send`.

    Attributes:
        method: such as `GET`.
        client: address and port of the client; None when unknown.
        began: seconds on the monotonic clock.
        status: of the answer; 0 before it.
        answered: whether the whole answer was sent.
        task: serves it; None once it is over.
        thread: identifier of the thread a WSGI application serves it in; None otherwise.

    Args:
        scope: of the request.
        task: serves it.
        body: of the request; None without one.
        send: the server's.
        is_draining: () -> whether the server is about to stop.
        request_id: that the answer names; None for one that names none.
    """

    # Made for each request: without a dict, and what only some need is found when they ask.
    __slots__ = (
        "_body",
        "_closing",
        "_is_draining",
        "_path",
        "_request_id",
        "_send",
        "answered",
        "began",
        "client",
        "method",
        "status",
        "task",
        "thread",
    )

    def __init__(
        self,
        scope: Scope,
        task: asyncio.Task[Any] | None,
        body: Body | None,
        send: Send,
        is_draining: Callable[[], bool],
        request_id: str | None = None,
    ) -> None:
        self.method: str = scope.get("method", "GET")
        self.client: tuple[str, int] | None = scope.get("client")
        self.began = time.monotonic()
        self.status = 0
        self.answered = False
        self.thread: int | None = None
        self._path: str = scope["path"]
        self.task = task
        self._body = body
        self._send = send
        self._is_draining = is_draining
        self._request_id = request_id
        self._closing = False

    def __str__(self) -> str:
        """Return method, path and age in seconds."""
        return f"{self.method} {self.path} ({self.age:.1f} s)"

    @property
    def path(self) -> str:
        """The path as it may be shown, without query."""
        return quoted_path(self._path)

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    def stack(self) -> str:
        """Return where it is now, outermost call first."""
        frames = sys._current_frames()  # noqa: SLF001 - documented so
        frame = None if self.thread is None else frames.get(self.thread)
        if frame is not None:
            return "".join(traceback.format_stack(frame)).rstrip()
        if self.task is None:
            raise AssertionError("a request is served by a task")
        return task_stack(self.task)

    # Not `async`: what needs nothing is passed on without a coroutine of its own.
    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message to the server; the first gets our headers, the last ends the answer."""
        if message["type"] == "http.response.body" and not message.get("more_body"):
            return self._finish(message)
        return self._send(message if self.status else self._begin(message))

    def _begin(self, message: Message) -> Message:
        """Note the status; return a copy with our headers: the application may keep its own."""
        kind: str = message["type"]
        self.status = message.get("status") or _STATUS.get(kind, CRASHED)
        if kind == "websocket.close":  # has none
            return message
        headers: list[Header] = [*message.get("headers", ())]
        if self._request_id is not None and not _names_request(headers):
            headers.append((_REQUEST_ID, self._request_id.encode()))
        if kind == "http.response.start" and self._is_draining():
            self._closing = True
            headers = [pair for pair in headers if pair[0] != b"connection"]
            headers.append((b"connection", b"close"))
        return {**message, "headers": headers}

    async def _finish(self, message: Message) -> None:
        if self._closing and self._body is not None:
            await self._body.discard()
        await self._send(message)
        self.answered = True


def _names_request(headers: Iterable[Header]) -> bool:
    for name, _ in headers:  # noqa: SIM110 - in each answer: `any` costs a generator
        if len(name) == _LENGTH and name.lower() == _REQUEST_ID:
            return True
    return False
