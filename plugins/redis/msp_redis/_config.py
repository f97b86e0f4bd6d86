"""RedisConfig: where Redis is, and whom to trust on the way there."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

import attrs

from msp_core.config import Secret, env
from msp_core.errors import InvalidValue
from msp_redis._endpoint import OPTIONS_EXPECTED, Endpoint, EndpointError

_DATABASE = re.compile(r"(/\d*)?/?", re.ASCII)


def _redis_url(value: Secret) -> None:
    url = _split(value)
    if url is None:
        raise InvalidValue(
            "redis://host:port or rediss://user:password@host:port, the password percent-encoded"
        )
    if not _DATABASE.fullmatch(url.path):  # redis-py would take the first one without a word
        raise InvalidValue("after host and port nothing, or '/' and the number of a database")
    if url.query:  # the platform's has none, so that nothing is imported there
        _check_options(value)


def _split(value: Secret) -> SplitResult | None:
    try:
        url = urlsplit(value.reveal())
        valid = url.scheme in ("redis", "rediss") and url.hostname and url.port != 0
    except ValueError:  # a port that is no number; its text holds the value
        return None
    return url if valid else None


def _check_options(value: Secret) -> None:
    try:
        Endpoint(url=value, trust=None, name="check").check_options()
    except EndpointError:
        raise InvalidValue(OPTIONS_EXPECTED) from None


@attrs.frozen(kw_only=True, eq=False)
class RedisConfig:
    """What the platform says about Redis.

    Attributes:
        endpoint: URL with the scheme `redis` or `rediss` (TLS), user and password included. What
            redis-py reads from a query string, such as `?socket_timeout=1`, wins over the
            defaults of this plugin. From `REDIS_ENDPOINT`.
        ssl_cert_dir: folders parted by colons; every PEM file in them is trusted in addition to
            what the system trusts. None for the system's trust alone. From `SSL_CERT_DIR`.
    """

    endpoint: Secret = env(
        "REDIS_ENDPOINT",
        help="URL of Redis with user and password: redis://, or rediss:// for TLS",
        validator=_redis_url,
    )
    ssl_cert_dir: str | None = env(
        "SSL_CERT_DIR",
        default=None,
        help="folders, parted by colons, whose PEM files are trusted for rediss:// too",
    )

    @property
    def tls(self) -> bool:
        """Whether the endpoint's scheme is `rediss`."""
        return urlsplit(self.endpoint.reveal()).scheme == "rediss"
