"""RequestContext: the identity of a request, read from its headers; log lines carry it."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import NamedTuple

from msp_core.asgi import Scope

# Long enough for every common scheme, and nothing in it that could forge or break a log line.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-3]))?")
_HEADERS = frozenset({b"x-request-id", b"traceparent", b"x-cloud-trace-context"})
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_ODD = "13579bdf"  # last hex digits with the lowest bit set, which says that a trace is sampled


# Not attrs, unlike other records: one is made for each request, and this takes a third of the time.
class RequestContext(NamedTuple):
    """Identity of one HTTP request.

    Attributes:
        request_id: from `X-Request-ID` when that is sane, else made anew.
        trace_id: 32 hex digits from `traceparent` or `X-Cloud-Trace-Context`; None without.
        span_id: 16 hex digits, same sources; None without.
        sampled: whether the caller samples the trace; None when unknown.
    """

    request_id: str
    trace_id: str | None = None
    span_id: str | None = None
    sampled: bool | None = None


current_request: ContextVar[RequestContext | None] = ContextVar("current_request", default=None)
"""Of the request that is being served where this is read; None elsewhere."""


class _RequestIDs:
    """Makes ids: 16 random hex digits of this process, and a count of 16.

    A random number for each request would be a system call for each.
    """

    def __init__(self) -> None:
        # One value, so that a thread never sees the prefix of one source and the count of another.
        self._source: tuple[str, Iterator[int]] | None = None

    def make(self) -> str:
        """Return an id that no other request has, in this process or any other; from any thread."""
        prefix, count = self._source or self._start()
        return f"{prefix}{next(count):016x}"

    def _start(self) -> tuple[str, Iterator[int]]:
        # The child of a fork would go on counting where its parent does.
        os.register_at_fork(after_in_child=self._draw)
        return self._draw()

    def _draw(self) -> tuple[str, Iterator[int]]:
        self._source = drawn = secrets.token_hex(8), itertools.count()
        return drawn


_request_ids = _RequestIDs()


def identity(scope: Scope) -> RequestContext:
    """Return the request's identity from its headers; of one that comes twice the first counts."""
    return identity_of(dict(reversed([*scope["headers"]])))


def identity_of(headers: Mapping[bytes, bytes]) -> RequestContext:
    """Return the identity that headers give, by their lower-case names."""
    if headers.keys().isdisjoint(_HEADERS):
        return RequestContext(request_id=_request_ids.make())
    return read_context(
        request_id=_text(headers.get(b"x-request-id")),
        traceparent=_text(headers.get(b"traceparent")),
        cloud_trace=_text(headers.get(b"x-cloud-trace-context")),
    )


def read_context(
    *, request_id: str | None, traceparent: str | None, cloud_trace: str | None
) -> RequestContext:
    """Return the identity that three headers give; what is malformed counts as absent.

    Args:
        request_id: `X-Request-ID`; made anew when absent or not sane.
        traceparent: W3C's header, preferred.
        cloud_trace: `X-Cloud-Trace-Context`, Google's older one.
    """
    if not request_id or not _REQUEST_ID.fullmatch(request_id):
        request_id = _request_ids.make()
    trace = (traceparent and _w3c(traceparent)) or (cloud_trace and _google(cloud_trace))
    if not trace:
        return RequestContext(request_id=request_id)
    return RequestContext(
        request_id=request_id, trace_id=trace[0], span_id=trace[1], sampled=trace[2]
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _w3c(header: str) -> tuple[str, str, bool] | None:
    match = _TRACEPARENT.fullmatch(header.strip())
    if match is None:
        return None
    trace, span, flags = match.group(1, 2, 3)
    if trace == _NO_TRACE or span == _NO_SPAN:
        return None
    return trace, span, flags[1] in _ODD


def _google(header: str) -> tuple[str, str | None, bool | None] | None:
    match = _CLOUD_TRACE.fullmatch(header.strip())
    if match is None or match[1] == _NO_TRACE:
        return None
    span = int(match[2] or 0)
    sampled = None if match[3] is None else match[3] in _ODD
    return match[1].lower(), f"{span:016x}" if 0 < span < 1 << 64 else None, sampled
