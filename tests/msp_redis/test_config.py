"""RedisConfig: which endpoints are accepted, and that none of them is ever shown."""

from __future__ import annotations

import pytest

from msp_core.config import describe, load
from msp_core.errors import ConfigError
from msp_redis import RedisConfig


@pytest.mark.parametrize(
    "endpoint",
    [
        "redis://localhost",
        "redis://localhost:6379/3",
        "rediss://:hunter2@10.0.0.7:6378",
        "rediss://user:p%2Fss@[::1]:6378/0?socket_timeout=1",
    ],
)
def test_accepts_the_two_schemes_of_redis(endpoint: str) -> None:
    """What a platform provisions loads as it is, as a secret."""
    config = load(RedisConfig, {"REDIS_ENDPOINT": endpoint})

    assert config.endpoint.reveal() == endpoint
    assert config.tls == endpoint.startswith("rediss:")
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    "endpoint",
    [
        "hunter2",
        "unix:///run/hunter2.sock",
        "https://:hunter2@localhost",
        "redis://:hunter2@",
        "redis://:hunt/er2@localhost",
        "redis://localhost:hunter2",
        "redis://localhost:0/?password=hunter2",
        "redis://[hunter2",
    ],
)
def test_refuses_what_is_no_redis_url_without_showing_it(endpoint: str) -> None:
    """An endpoint that could never work is a problem before the start, and stays secret."""
    with pytest.raises(ConfigError) as caught:
        load(RedisConfig, {"REDIS_ENDPOINT": endpoint})

    text = str(caught.value)
    assert "REDIS_ENDPOINT" in text
    assert "rediss://" in text
    assert "hunt" not in text


def test_ssl_cert_dir_alone_configures_nothing() -> None:
    """A platform sets SSL_CERT_DIR for every process; that is no wish for Redis."""
    required = {variable.name: variable.required for variable in describe(RedisConfig)}

    assert required == {"REDIS_ENDPOINT": True, "SSL_CERT_DIR": False}
