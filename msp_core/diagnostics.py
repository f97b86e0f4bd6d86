"""Diagnostics (skeleton)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import attrs


@attrs.frozen(kw_only=True)
class Route:
    """One extra endpoint of the diagnostics application.

    Attributes:
        path: absolute, such as `/metrics`.
        respond: (query parameters) -> awaitable of (status, content type, body).
        secret: whether the diagnostics secret is needed. Default True.
    """

    path: str
    respond: Callable[[Mapping[str, str]], Awaitable[tuple[int, str, bytes]]]
    secret: bool = True


class Diagnostics:
    """Endpoints, health and the auth middleware."""
