"""Which variables ask for an integration, and for which of several ways to configure it."""

from __future__ import annotations

import attrs
import pytest

from msp_core.config import Secret, load
from msp_core.config._loading import Loading
from tests.msp_core.config_classes import (
    REDIS,
    SQL,
    CloudSQL,
    InstanceLogin,
    LocalDSN,
    MaybeKeys,
    MaybeSQL,
    Redis,
    Spread,
    Tuning,
    lines,
)


def test_integration_is_configured_by_its_required_variables() -> None:
    """An integration that the environment does not ask for costs nothing and breaks nothing."""
    absent = Loading({})
    present = Loading({"REDIS_ENDPOINT": "redis://host"})

    assert absent.section(Redis, REDIS, optional=True) is None
    assert absent.problems == ()
    assert present.section(Redis, REDIS, optional=True) == Redis(
        endpoint=Secret("redis://host"), size=10
    )


def test_variable_with_default_does_not_configure_an_integration() -> None:
    """A left-over tuning variable does not ask for a resource."""
    loading = Loading({"REDIS_POOL_SIZE": "5"})

    assert loading.section(Redis, REDIS, optional=True) is None
    assert loading.problems == ()


def test_variable_of_an_absent_integration_is_checked() -> None:
    """A wrong value is found on the day it is written, not on the day it is used."""
    loading = Loading({"REDIS_POOL_SIZE": "many"})

    assert loading.section(Redis, REDIS, optional=True) is None
    assert [problem.variable for problem in loading.problems] == ["REDIS_POOL_SIZE"]


def test_class_that_requires_nothing_is_always_asked_for() -> None:
    """Nothing could configure it otherwise."""
    loading = Loading({})

    assert loading.section(Tuning, "core", optional=True) == Tuning(percent=50)


@pytest.mark.parametrize(
    ("environ", "connection"),
    [
        ({"PGDSN": "d"}, LocalDSN(dsn=Secret("d"))),
        ({"PGINSTANCE": "i", "PGUSER": "u"}, InstanceLogin(instance="i", user="u")),
        ({"PGDSN": "d", "PGINSTANCE": "i", "PGUSER": "u"}, LocalDSN(dsn=Secret("d"))),
        ({"PGDSN": "d", "PGUSER": ""}, LocalDSN(dsn=Secret("d"))),
    ],
)
def test_first_alternative_that_is_mentioned_is_taken(
    environ: dict[str, str], connection: LocalDSN | InstanceLogin
) -> None:
    """With PGDSN, libpq's own PGUSER means something else: the others are not looked at."""
    loading = Loading(environ)

    found = loading.section(CloudSQL, SQL, optional=True)

    assert found == CloudSQL(logging=False, connection=connection)
    assert loading.problems == ()


def test_choice_that_is_not_made_is_one_problem() -> None:
    """It says what there is to choose from."""
    loading = Loading({})

    loading.section(CloudSQL, SQL)

    assert lines(loading) == [
        (
            "PGDSN, PGINSTANCE, PGUSER are missing: expected PGDSN, or PGINSTANCE with PGUSER"
            f" (needed by {SQL})"
        )
    ]


def test_optional_choice_may_be_none() -> None:
    """`A | B | None` needs neither."""
    assert load(MaybeSQL, {}) == MaybeSQL(connection=None)
    assert load(MaybeSQL, {"PGDSN": "d"}) == MaybeSQL(connection=LocalDSN(dsn=Secret("d")))


@pytest.mark.parametrize(
    ("config", "environ", "expected"),
    [
        (CloudSQL, {"PGUSER": "u"}, {"PGINSTANCE": "PGUSER is set without it, set both or none"}),
        (
            MaybeSQL,
            {"PGINSTANCE": "i"},
            {"PGUSER": "PGINSTANCE is set without it, set both or none"},
        ),
        (
            MaybeKeys,
            {"KEY_TWO": "2"},
            {
                "KEY_ONE": "KEY_TWO is set without it, set all or none",
                "KEY_THREE": "KEY_TWO is set without it, set all or none",
            },
        ),
        (
            MaybeKeys,
            {"KEY_THREE": "3", "KEY_ONE": "1"},
            {"KEY_TWO": "KEY_ONE and KEY_THREE are set without it, set all or none"},
        ),
    ],
)
def test_half_of_what_goes_together_is_a_problem(
    config: type[object], environ: dict[str, str], expected: dict[str, str]
) -> None:
    """All or nothing: each missing variable is named, with what makes it needed."""
    loading = Loading(environ)

    found = loading.section(config, SQL, optional=True)

    assert found is None
    assert {problem.variable: problem.hint for problem in loading.problems} == expected
    assert {problem.wrong for problem in loading.problems} == {"is missing"}


def test_fragment_of_a_configured_integration_goes_with_it() -> None:
    """What an integration needs may be spread over fragments."""
    loading = Loading({"REDIS_ENDPOINT": "r"})

    found = loading.section(Spread, REDIS, optional=True)

    assert found is None
    assert lines(loading) == [
        (
            f"PGINSTANCE is missing; REDIS_ENDPOINT is set without it, set all or none"
            f" (needed by {REDIS}: connection name)"
        ),
        (
            f"PGUSER is missing; REDIS_ENDPOINT is set without it, set all or none"
            f" (needed by {REDIS}: IAM user)"
        ),
    ]


@attrs.frozen
class RedisAndChoice:
    redis: Redis
    connection: LocalDSN | InstanceLogin


def test_choice_of_a_configured_integration_is_asked_for() -> None:
    """A variable that stands alone in what is needed has nothing to go with."""
    loading = Loading({"REDIS_ENDPOINT": "r"})

    loading.section(RedisAndChoice, REDIS, optional=True)

    (problem,) = loading.problems
    assert problem.expected == "PGDSN, or PGINSTANCE with PGUSER"
