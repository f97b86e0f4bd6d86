"""RedisConfig: which endpoints are accepted, and that none of them is ever shown."""

from __future__ import annotations

import subprocess
import sys

import pytest

from msp_core import NoopRoutine, hookimpl
from msp_core._cli.main import main
from msp_core.config import describe, load
from msp_core.errors import ConfigError
from msp_redis import RedisConfig


class Idle:
    """A service."""

    name, version = "idle", "1"

    @hookimpl
    async def msp_initialize(self) -> NoopRoutine:
        """Give what does nothing."""
        return NoopRoutine("idle")


@pytest.mark.parametrize(
    "endpoint",
    [
        "redis://localhost",
        "redis://localhost:6379/3",
        "rediss://:hunter2@10.0.0.7:6378",
        "rediss://user:p%2Fss@[::1]:6378/0?socket_timeout=1",
        "redis://localhost/?db=2&max_connections=7&timeout=1.5&health_check_interval=9",
        "redis://localhost:6379/3/",
        "rediss://localhost?ssl_cert_reqs=none&ssl_check_hostname=false",
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


@pytest.mark.parametrize(
    "endpoint",
    [
        "redis://localhost/hunter2",
        "redis://localhost/-1",
        "redis://localhost/0/hunter2",
        "redis://localhost/?db=hunter2",
        "redis://localhost/?hunter2=1",
        "redis://localhost/?socket_timeout=hunter2",
        "redis://localhost/?max_connections=-1&client_name=hunter2",
        "redis://localhost/?ssl_cert_reqs=none&username=hunter2",
        "rediss://localhost/?ssl_cert_reqs=hunter2",
        "redis://localhost/?retry=hunter2",
    ],
)
def test_judges_what_follows_the_host(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What redis-py would not take, or misunderstand, is in the report before the start."""
    environ = {"REDIS_ENDPOINT": endpoint, "PORT": "0"}

    assert main(["check", f"{__name__}:Idle", "--plugins", "redis"], environ) == 78
    said = "".join(capsys.readouterr())
    assert "REDIS_ENDPOINT will not do: expected after " in said
    assert "hunter2" not in said


def test_an_endpoint_without_options_imports_no_redis() -> None:
    """The platform's has none: judging it must not slow the start down."""
    code = """if True:
        import sys
        from msp_core.config import load
        from msp_redis import RedisConfig
        load(RedisConfig, {"REDIS_ENDPOINT": "rediss://:secret@10.0.0.7:6378"})
        print("redis" in sys.modules)
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code

    assert done.stdout == "False\n"


def test_ssl_cert_dir_alone_configures_nothing() -> None:
    """A platform sets SSL_CERT_DIR for every process; that is no wish for Redis."""
    required = {variable.name: variable.required for variable in describe(RedisConfig)}

    assert required == {"REDIS_ENDPOINT": True, "SSL_CERT_DIR": False}
