"""Variables that are set and count as not set: alone, to nothing, or to what will not do."""

from __future__ import annotations

import attrs
import pytest

from msp_core.config import env, load
from msp_core.config._loading import Loading
from msp_core.errors import ConfigError, Problem
from tests.msp_core.config_classes import SQL, LocalDSN, lines


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
