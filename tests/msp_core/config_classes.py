"""Config classes of core and plugins, as tests of loading have them."""

from __future__ import annotations

import attrs

from msp_core.config import Percent, Secret, env
from msp_core.config._loading import Loading

REDIS = "plugin 'redis', msp-redis 0.1.0"


SQL = "plugin 'cloudsql', msp-cloudsql 0.1.0"


@attrs.frozen(kw_only=True)
class Redis:
    endpoint: Secret = env("REDIS_ENDPOINT", help="URL with password")
    size: int = env("REDIS_POOL_SIZE", default=10, help="connections at most")


@attrs.frozen(kw_only=True)
class LocalDSN:
    dsn: Secret = env("PGDSN", help="of a laptop", forbidden_when_msp=True)


@attrs.frozen(kw_only=True)
class InstanceLogin:
    instance: str = env("PGINSTANCE", help="connection name")
    user: str = env("PGUSER", help="IAM user")


@attrs.frozen(kw_only=True)
class CloudSQL:
    logging: bool = env("PG_QUERY_LOGGING", default=False, forbidden_when_msp=True)
    connection: LocalDSN | InstanceLogin


@attrs.frozen
class MaybeSQL:
    connection: InstanceLogin | LocalDSN | None


@attrs.frozen(kw_only=True)
class Keys:
    one: str = env("KEY_ONE")
    two: str = env("KEY_TWO")
    three: str = env("KEY_THREE")


@attrs.frozen
class MaybeKeys:
    keys: Keys | None


@attrs.frozen(kw_only=True)
class Tuning:
    percent: Percent = env("TUNING", default=50)


def lines(loading: Loading) -> list[str]:
    """Return the problems as they are shown."""
    return [str(problem) for problem in loading.problems]


@attrs.frozen
class Spread:
    redis: Redis
    login: InstanceLogin
