"""Loading: many config classes from one environment, with all problems, secrets and near misses."""

from __future__ import annotations

import attrs
import pytest

from msp_core.config import URL, Group, Secret, env, load
from msp_core.config._loading import Loading
from msp_core.errors import UsageError
from tests.msp_core.config_classes import (
    REDIS,
    SQL,
    CloudSQL,
    MaybeKeys,
    MaybeSQL,
    Redis,
    Tuning,
    lines,
)

BOOLEAN_FORM = "true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)"


@attrs.frozen(kw_only=True)
class Core:
    port: int = env("PORT", help="port to listen on")
    msp: bool = env("MSP", default=False, help="live platform switch")


@attrs.frozen(kw_only=True)
class Private:
    _tuning: Tuning
    _name: str = env("NAME")


def test_private_fields() -> None:
    """A field that only the config's own methods read is loaded like any other."""
    loaded = load(Private, {"NAME": "guestbook", "TUNING": "5"})

    assert (loaded._name, loaded._tuning.percent) == ("guestbook", 5)


def test_problems_of_all_sections_are_collected() -> None:
    """Core, plugins and service report together, each under its own name, in order."""
    loading = Loading({"REDIS_ENDPOINT": "", "REDIS_POOL_SIZE": "many", "TUNING": "5"})

    core = loading.section(Core, "core")
    redis = loading.section(Redis, REDIS, optional=True)
    tuning = loading.section(Tuning, "service 'guestbook'")

    assert core is None
    assert redis is None
    assert tuning == Tuning(percent=5)
    assert lines(loading) == [
        (
            "PORT is missing: expected an integer of 64 bits, such as 8080"
            " (needed by core: port to listen on)"
        ),
        f"REDIS_ENDPOINT is set but empty (needed by {REDIS}: URL with password)",
        (
            "REDIS_POOL_SIZE is not an integer: expected an integer of 64 bits, such as 8080"
            f" (needed by {REDIS}: connections at most)"
        ),
    ]


@pytest.mark.parametrize(
    ("config", "environ", "problems"),
    [
        (CloudSQL, {"PGDSN": "d"}, {"PGDSN": ""}),
        (CloudSQL, {"PGDSN": ""}, {"PGDSN": ""}),
        (CloudSQL, {"PGDSN": "d", "PGINSTANCE": "i", "PGUSER": "u"}, {"PGDSN": ""}),
        (MaybeSQL, {"PGDSN": "d", "PGINSTANCE": "i", "PGUSER": "u"}, {"PGDSN": ""}),
        (CloudSQL, {"PG_QUERY_LOGGING": "T"}, {"PG_QUERY_LOGGING": "false"}),
        (CloudSQL, {"PG_QUERY_LOGGING": "F"}, {}),
        (CloudSQL, {"PG_QUERY_LOGGING": "perhaps"}, {"PG_QUERY_LOGGING": BOOLEAN_FORM}),
        (CloudSQL, {}, {}),
    ],
)
def test_variable_is_forbidden_on_a_live_platform(
    config: type[object], environ: dict[str, str], problems: dict[str, str]
) -> None:
    """What is meant for a laptop is refused in production, whatever else is set."""
    live = Loading({"MSP": "true", **environ})

    live.section(config, SQL, optional=True)

    assert {problem.variable: problem.expected for problem in live.problems} == problems
    assert {problem.wrong for problem in live.problems} <= {
        "is not allowed with MSP=true",
        "is not a boolean",
    }


@pytest.mark.parametrize("msp", [{}, {"MSP": "false"}, {"MSP": "0"}, {"MSP": "perhaps"}])
def test_variable_is_allowed_on_a_laptop(msp: dict[str, str]) -> None:
    """MSP that cannot be read is a problem of its own, and does not cause others."""
    loading = Loading({"PGDSN": "d", "PG_QUERY_LOGGING": "true", **msp})

    loading.section(CloudSQL, SQL, optional=True)

    assert loading.problems == ()


def test_forbidden_secret_default_is_not_shown() -> None:
    """A default that is secret is not offered as the expected value."""

    @attrs.frozen
    class Config:
        token: Secret = env("TOKEN", default=Secret("hunter2"), forbidden_when_msp=True)

    loading = Loading({"MSP": "true", "TOKEN": "other"})

    loading.section(Config, "core")

    assert lines(loading) == [
        "TOKEN is not allowed with MSP=true; unset it to use its default (needed by core)"
    ]


def test_missing_variable_names_its_misspelling() -> None:
    """Whoever reads that a variable is missing, and has set it, looks for the difference."""
    loading = Loading({"PROT": "80", "KEY_TOW": "2", "KEY_ONE": "1", "KEY_THREE": "3"})
    loading.section(Core, "core")
    loading.section(MaybeKeys, "service")

    assert [problem.hint for problem in loading.problems] == [
        "PROT is set and read by nobody, is it misspelt?",
        (
            "KEY_ONE and KEY_THREE are set without it, set all or none;"
            " KEY_TOW is set and read by nobody, is it misspelt?"
        ),
    ]


def test_near_misses_are_sentences() -> None:
    """An optional variable that is misspelt is no problem, and would never be found."""
    loading = Loading({"REDIS_ENPOINT": "hunter2", "TUNIGN": "5", "PATH": "/bin"})
    loading.section(Redis, REDIS, optional=True)
    loading.section(Tuning, "service")

    assert loading.near_misses() == (
        "REDIS_ENPOINT is set but read by nobody: did you mean REDIS_ENDPOINT?",
        "TUNIGN is set but read by nobody: did you mean TUNING?",
    )


def test_later_section_explains_a_name() -> None:
    """What looks misspelt to one section may be a variable of the next."""

    @attrs.frozen
    class Other:
        prot: int = env("PROT")

    loading = Loading({"PROT": "80"})
    loading.section(Core, "core")
    loading.section(Other, "service")

    assert loading.near_misses() == ()
    assert [problem.hint for problem in loading.problems] == [""]


def test_variables_are_listed_once() -> None:
    """Tables of a whole service hold each variable once, with its first owner."""
    loading = Loading({})
    loading.section(Redis, REDIS, optional=True)
    loading.section(Core, "core")
    loading.section(Core, "service")

    found = {variable.name: variable for variable in loading.variables}

    assert [variable.name for variable in loading.variables] == list(found)
    assert list(found) == ["REDIS_ENDPOINT", "REDIS_POOL_SIZE", "PORT", "MSP"]
    assert found["PORT"].owner == "core"
    assert not found["REDIS_ENDPOINT"].required
    assert found["REDIS_ENDPOINT"].group == Group(choices=(("REDIS_ENDPOINT",),), optional=True)


def test_secrets_are_collected_for_hiding() -> None:
    """Log lines are scrubbed of secrets, of passwords in URLs, and of those nobody came to use."""

    @attrs.frozen
    class Config:
        keys: list[Secret] = env("KEYS", default=[])
        site: URL = env("SITE", default="")
        sites: list[URL] = env("SITES", default=[])
        name: str = env("NAME", default="")

    loading = Loading(
        {
            "REDIS_ENDPOINT": "redis://:p%40ss@host",
            "PGUSER": "u",
            "PGINSTANCE": "i",
            "PGDSN": "unused",
            "KEYS": "one, two",
            "SITE": "https://u:word@host",
            "SITES": "https://a,https://u:other@host",
            "NAME": "guestbook",
        }
    )
    loading.section(Redis, REDIS, optional=True)
    loading.section(MaybeSQL, SQL)
    loading.section(Config, "service")

    assert loading.secrets == {
        "redis://:p%40ss@host",
        "p%40ss",
        "p@ss",
        "unused",
        "one, two",
        "one",
        "two",
        "word",
        "other",
    }


def test_class_that_cannot_be_loaded_is_a_usage_error() -> None:
    """A mistake of the program is not a problem of the environment."""
    with pytest.raises(UsageError):
        Loading({}).section(int, "service")
