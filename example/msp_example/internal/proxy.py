"""The proxy: sends one request from where the service runs, to debug its network.

Security: whoever may call this reaches whatever the service reaches, with the service's address:
metadata servers and private networks included. That is its purpose, so it stands behind the
diagnostics secret, and the secret must be kept like a credential of that network. Copy it into a
service only while you need it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_PREFIX = "x-proxy-"
_TIMEOUT = 10.0  # seconds


class BadParameterError(ValueError):
    """A query parameter that is missing or does not fit; the text goes to the caller."""


@attrs.frozen
class Target:
    """Where one request goes.

    Attributes:
        url: origin and path.
        insecure: whether the server's certificate goes unchecked.
    """

    url: str
    insecure: bool

    @classmethod
    def of(cls, query: dict[str, str]) -> Target:
        """Return the target that `host`, `path` and `insecure` describe.

        Raises:
            BadParameterError: one of them is missing or does not fit.
        """
        host, path = _required(query, "host"), _required(query, "path")
        if not _is_origin(host):
            raise BadParameterError("query parameter 'host' must be like https://10.0.0.7:8443")
        if not path.startswith("/"):
            raise BadParameterError("query parameter 'path' must start with '/'")
        insecure = query.get("insecure", "false")
        if insecure not in ("true", "false"):
            raise BadParameterError("query parameter 'insecure' must be 'true' or 'false'")
        return cls(host + path, insecure == "true")


async def proxy(request: Request) -> Response:
    """Send the request to `host` + `path` of the query and return the answer.

    Only headers that carry the prefix `X-Proxy-` are forwarded, without it: the diagnostics
    secret never leaves. Each call opens a connection of its own, since an old one would hide the
    very trouble one is looking for.
    """
    # The import takes longer than the rest of the start, and few ever come here.
    import httpx  # noqa: PLC0415 - vendor library: imported where it is used

    try:
        target = Target.of(dict(request.query_params))
        async with httpx.AsyncClient(verify=not target.insecure, timeout=_TIMEOUT) as client:
            answer = await client.request(
                request.method,
                target.url,
                headers=_forwarded(request),
                content=await request.body(),
            )
    except (BadParameterError, httpx.InvalidURL) as error:
        return PlainTextResponse(str(error), status_code=400)
    except httpx.RequestError as error:
        return PlainTextResponse(f"no answer: {type(error).__name__}: {error}", status_code=502)
    media_type = answer.headers.get("content-type", "application/octet-stream")
    return Response(answer.content, answer.status_code, media_type=media_type)


def _required(query: dict[str, str], name: str) -> str:
    value = query.get(name)
    if not value:
        raise BadParameterError(f"query parameter {name!r} is required")
    return value


def _is_origin(text: str) -> bool:
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - raises for one that is no number
    except ValueError:
        return False
    return bool(url.hostname) and text in (f"http://{url.netloc}", f"https://{url.netloc}")


def _forwarded(request: Request) -> dict[str, str]:
    return {
        name.removeprefix(_PREFIX): value
        for name, value in request.headers.items()
        if name.startswith(_PREFIX)
    }
