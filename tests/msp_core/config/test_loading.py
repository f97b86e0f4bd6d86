"""Loading: many config classes from one environment, with all problems, secrets and near misses."""

from __future__ import annotations

import attrs
import pytest

from msp_core.config import URL, Group, Percent, Secret, env, load
from msp_core.config._loading import Loading
from msp_core.errors import ConfigError, InvalidValue, Problem, UsageError

REDIS = "plugin 'redis', msp-redis 0.1.0"
SQL = "plugin 'cloudsql', msp-cloudsql 0.1.0"
BOOLEAN_FORM = "true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)"


@attrs.frozen(kw_only=True)
class Core:
    port: int = env("PORT", help="port to listen on")
    msp: bool = env("MSP", default=False, help="live platform switch")


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


@attrs.frozen(kw_only=True)
class Shell:
    instance: str = env("PGINSTANCE")
    user: int = env("PGUSER", alone_is_unset=True)


@attrs.frozen
class FromShell:
    login: LocalDSN | Shell


@pytest.mark.parametrize("config", [Shell, FromShell])
@pytest.mark.parametrize("user", ["7", "", "no number"])
def test_alone_is_unset(config: type[object], user: str) -> None:
    """A name that other programs use too asks for nothing by itself, and is not even looked at."""
    loading = Loading({"PGUSER": user})

    assert loading.section(config, SQL, optional=True) is None
    assert loading.problems == ()
    assert [one.name for one in loading.variables if one.alone_is_unset] == ["PGUSER"]


def test_not_alone_it_counts() -> None:
    """Beside the others it is needed and judged like any variable."""
    assert load(Shell, {"PGINSTANCE": "i", "PGUSER": "7"}) == Shell(instance="i", user=7)
    for user in ({}, {"PGUSER": "no number"}):
        loading = Loading({"PGINSTANCE": "i", **user})

        assert loading.section(Shell, SQL, optional=True) is None
        assert [problem.variable for problem in loading.problems] == ["PGUSER"]


def test_alone_where_all_readers_allow_it() -> None:
    """Whoever needs the variable for itself needs it whatever the others say."""

    @attrs.frozen
    class Other:
        user: str = env("PGUSER")

    loading = Loading({})
    loading.section(Shell, SQL, optional=True)
    loading.section(Other, "service 'x'")

    assert not any(one.alone_is_unset for one in loading.variables)


@attrs.frozen(kw_only=True)
class Exporter:
    endpoint: str = env("OTLP_ENDPOINT", empty_is_unset=True)
    token: str = env("OTLP_TOKEN", empty_is_unset=True)
    retries: int = env("OTLP_RETRIES", default=3, empty_is_unset=True)
    headers: str | None = env("OTLP_HEADERS", empty_is_unset=True)


@attrs.frozen(kw_only=True)
class Printer:
    stream: str = env("STREAM", empty_is_unset=True, forbidden_when_msp=True)


@attrs.frozen(kw_only=True)
class Output:
    output: Exporter | Printer | None


EMPTY = dict.fromkeys(("OTLP_ENDPOINT", "OTLP_TOKEN", "OTLP_RETRIES", "OTLP_HEADERS", "STREAM"), "")


def test_empty_counts_as_unset_where_it_is_allowed() -> None:
    """A variable that is set to nothing is absent, in every rule about what is there."""
    asked = {"OTLP_ENDPOINT": "host", "OTLP_TOKEN": "t"}
    loading = Loading({**EMPTY, **asked, "MSP": "true"})

    assert loading.section(Output, "x") == Output(
        output=Exporter(endpoint="host", token="t", retries=3, headers=None)
    )
    assert loading.problems == ()
    assert load(Output, {**EMPTY, "STREAM": "out"}) == Output(output=Printer(stream="out"))


def test_empty_configures_nothing() -> None:
    """An integration whose variables are all set to nothing is not asked for."""
    loading = Loading({**EMPTY, "MSP": "true"})

    assert loading.section(Exporter, "x", optional=True) is None
    assert loading.section(Output, "x") == Output(output=None)
    assert loading.problems == ()


def test_empty_is_missing_where_it_is_needed() -> None:
    """Half of what goes together is a problem, whether the other half is unset or empty."""
    loading = Loading({**EMPTY, "OTLP_TOKEN": "t"})

    assert loading.section(Exporter, "x", optional=True) is None
    assert lines(loading) == [
        "OTLP_ENDPOINT is missing; OTLP_TOKEN is set without it, set both or none (needed by x)"
    ]


@attrs.frozen(kw_only=True)
class Sampling:
    rate: float = env("RATE", default=1.0, invalid_is_unset=True)
    seed: int = env("SEED", invalid_is_unset=True)


def test_invalid_counts_as_unset_where_it_is_allowed() -> None:
    """A value that will not do is told and ignored; what is needed is missing all the same."""
    loading = Loading({"RATE": "often", "SEED": "s3cr3t"})

    assert loading.section(Sampling, "x") is None
    assert [str(ignored).partition(":")[0] for ignored in loading.ignored] == [
        "RATE is not a number",
        "SEED is not an integer",
    ]
    assert all("the value is ignored" in str(ignored) for ignored in loading.ignored)
    assert "s3cr3t" not in str(loading.ignored)
    assert [problem.variable for problem in loading.problems] == ["SEED"]
    assert Loading({"RATE": "often", "SEED": "1"}).section(Sampling, "x") == Sampling(seed=1)


@attrs.frozen(kw_only=True)
class Reporting:
    project: int | None = env("PROJECT", required=True, invalid_is_unset=True)
    backup: int | None = env("BACKUP", default=None, required=True, invalid_is_unset=True)


def test_required_though_the_class_could_be_made_without() -> None:
    """Such a variable asks for its class, and is missing without; ignored, it is None."""
    nothing, half = Loading({}), Loading({"BACKUP": "7"})
    ignored = Loading({"PROJECT": "guestbook", "BACKUP": ""})

    assert nothing.section(Reporting, "x", optional=True) is None
    assert nothing.problems == ()
    assert half.section(Reporting, "x", optional=True) is None
    assert [problem.variable for problem in half.problems] == ["PROJECT"]
    assert ignored.section(Reporting, "x", optional=True) == Reporting(project=None, backup=None)
    assert [problem.variable for problem in ignored.ignored] == ["PROJECT", "BACKUP"]
    assert ignored.problems == ()


def test_load_tells_what_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """What is ignored is a warning, or whatever the caller makes of it; never silent."""
    told: list[Problem] = []
    environ = {"RATE": "hunter2", "SEED": "1"}
    assert load(Sampling, environ) == load(Sampling, environ, on_ignored=told.append)

    (line,) = caplog.records
    assert (line.levelname, line.name, line.variable) == ("WARNING", "msp.config", "RATE")  # type: ignore[attr-defined]
    assert line.getMessage() == str(told[0])
    assert "the value is ignored" in line.getMessage()
    assert "hunter2" not in caplog.text


def test_load_tells_what_is_ignored_besides_problems() -> None:
    """It is told although the class cannot be loaded for other reasons."""
    told: list[Problem] = []
    with pytest.raises(ConfigError):
        load(Sampling, {"RATE": "often"}, on_ignored=told.append)

    assert [problem.variable for problem in told] == ["RATE"]


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
class Spread:
    redis: Redis
    login: InstanceLogin


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


def even(value: int) -> None:
    """Accept even numbers."""
    if value % 2:
        raise InvalidValue("an even number")


@attrs.frozen(kw_only=True)
class Validated:
    count: int = env("COUNT", validator=even, help="of shards")
    ratio: float = env("RATIO", default=1.0, validator=lambda ratio: 1 / ratio)


def test_validator_says_what_it_expects() -> None:
    """A validator's words end up where a type's words would."""
    loading = Loading({"COUNT": "3"})

    loading.section(Validated, "service")

    assert lines(loading) == [
        "COUNT will not do: expected an even number (needed by service: of shards)"
    ]


def test_validator_that_fails_refuses() -> None:
    """An exception of another kind is named, and its text is not shown."""
    loading = Loading({"COUNT": "2", "RATIO": "0"})

    loading.section(Validated, "service")

    assert lines(loading) == [
        "RATIO is refused by its validator; it raised ZeroDivisionError (needed by service)"
    ]


def test_validator_that_accepts_is_silent() -> None:
    """What a validator returns does not matter."""
    assert load(Validated, {"COUNT": "2", "RATIO": "4"}) == Validated(count=2, ratio=4.0)


@attrs.frozen(kw_only=True)
class Range:
    low: int = env("LOW", default=0)
    high: int = env("HIGH", default=10)

    def __attrs_post_init__(self) -> None:
        """Hold a rule that spans fields."""
        if self.low > self.high:
            raise InvalidValue("LOW up to HIGH")
        if self.low == self.high:
            raise RuntimeError("of no use")


@attrs.frozen
class Bare:
    def __attrs_post_init__(self) -> None:
        """Refuse always."""
        raise RuntimeError("of no use")


def test_rule_that_spans_variables_names_them() -> None:
    """A class may check its fields together."""
    loading = Loading({"LOW": "11"})

    loading.section(Range, "service")

    assert lines(loading) == [
        "LOW, HIGH will not do for Range: expected LOW up to HIGH (needed by service)"
    ]


def test_class_that_fails_to_be_made_is_a_problem() -> None:
    """An exception of another kind is named, and its text is not shown."""
    loading = Loading({"LOW": "10"})

    loading.section(Range, "service")
    loading.section(Bare, "service")

    assert lines(loading) == [
        "LOW, HIGH will not do for Range; it raised RuntimeError (needed by service)",
        "Bare will not do for Bare; it raised RuntimeError (needed by service)",
    ]


def test_fragment_with_problems_does_not_hide_those_of_others() -> None:
    """The whole tree is read before anything is reported."""
    with pytest.raises(ConfigError) as refused:
        load(Spread, {"REDIS_POOL_SIZE": "many"})

    assert [problem.variable for problem in refused.value.problems] == [
        "REDIS_ENDPOINT",
        "REDIS_POOL_SIZE",
        "PGINSTANCE",
        "PGUSER",
    ]


def test_class_that_cannot_be_loaded_is_a_usage_error() -> None:
    """A mistake of the program is not a problem of the environment."""
    with pytest.raises(UsageError):
        Loading({}).section(int, "service")
