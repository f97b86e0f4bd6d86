"""CloudSQLConfig: two ways to a server, all or nothing, and no way to show a secret."""

from __future__ import annotations

import pytest

from msp_cloudsql import CloudSQLConfig, InstanceLogin, LocalDSN
from msp_core.config import load
from msp_core.config._loading import Loading
from msp_core.errors import ConfigError

_DSN = "postgresql://me:hunter2@localhost/{{ .Database }}"


def test_a_local_dsn_comes_first() -> None:
    """PGUSER has a meaning for libpq too, so it may be set beside PGDSN."""
    config = load(CloudSQLConfig, {"PGDSN": _DSN, "PGUSER": "me"})

    assert isinstance(config.connection, LocalDSN)
    assert config.connection.dsn.reveal() == _DSN
    assert config.query_logging is False
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize("instance", ["p:europe-west1:main", "example.com:p:europe-west1:main"])
def test_an_instance_needs_its_user(instance: str) -> None:
    """Both variables of a Cloud SQL instance make a login."""
    environ = {"PGINSTANCE": instance, "PGUSER": "me@p.iam"}

    assert load(CloudSQLConfig, environ).connection == InstanceLogin(
        instance=instance, user="me@p.iam"
    )


def test_half_an_instance_is_a_problem() -> None:
    """What is missing is named before the start, not at the first query."""
    with pytest.raises(ConfigError, match="PGUSER is missing; PGINSTANCE is set without it"):
        load(CloudSQLConfig, {"PGINSTANCE": "p:europe-west1:main"})


@pytest.mark.parametrize("user", ["me", ""])
def test_a_user_alone_is_libpq_s(user: str) -> None:
    """People set PGUSER in their shells, for psql: it neither configures anything nor is wrong."""
    loading = Loading({"PGUSER": user})

    assert loading.section(CloudSQLConfig, "cloudsql", optional=True) is None
    assert not loading.problems


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PGINSTANCE": "hunter2", "PGUSER": "u"}, "project:region:instance"),
        ({"PGDSN": "hunter2{{"}, "every '{{' closed by '}}'"),
        ({"PGDSN": "hunter2{{ .Foo }}"}, "{{ .Database }} as the only field"),
        ({"PGDSN": _DSN, "MSP": "true"}, "MSP=true"),
        ({"PGDSN": _DSN, "PG_QUERY_LOGGING": "true", "MSP": "true"}, "PG_QUERY_LOGGING"),
    ],
)
def test_problems_say_what_is_expected(environ: dict[str, str], expected: str) -> None:
    """Each problem tells what to do and never what was given."""
    with pytest.raises(ConfigError) as caught:
        load(CloudSQLConfig, environ)

    assert expected in str(caught.value)
    assert "hunter2" not in str(caught.value)
