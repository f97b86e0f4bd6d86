"""What the log variables mean."""

from __future__ import annotations

import logging

import attrs
import pytest

from msp_core._logs.config import SILENT, TALKATIVE, LogConfig
from msp_core.config import describe, load
from msp_core.errors import ConfigError
from msp_core.platforms import Platform


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("debug", logging.DEBUG),
        ("dbug", logging.DEBUG),
        ("info", logging.INFO),
        ("INFO", logging.INFO),
        ("warn", logging.WARNING),
        ("Warn", logging.WARNING),
        ("error", logging.ERROR),
        ("eror", logging.ERROR),
        ("crit", logging.CRITICAL),
        ("none", SILENT),
    ],
)
def test_level_has_gos_names(text: str, level: int) -> None:
    """Every name and alias that a Go service takes means the same here, in any case."""
    config = load(LogConfig, {"SRC_LOG_LEVEL": text})

    assert config.root_level() == level
    assert config.doubts() == ()


def test_level_is_info_by_default() -> None:
    """Without a variable, the lines about the process's life are visible."""
    assert load(LogConfig, {}).root_level() == logging.INFO


def test_unknown_level_starts_with_the_default() -> None:
    """A Go service starts with an unknown level; so does ours, and it says so without the value."""
    config = load(LogConfig, {"SRC_LOG_LEVEL": "chatty"})
    (doubt,) = config.doubts()

    assert config.root_level() == logging.INFO
    assert "SRC_LOG_LEVEL" in doubt
    assert "chatty" not in doubt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("json", "json"),
        ("logfmt", "json"),
        ("json_gcp", "json_gcp"),
        ("JSON_GCP", "json_gcp"),
        ("console", "console"),
        ("condensed", "console"),
    ],
)
def test_format_has_gos_names(text: str, expected: str) -> None:
    """Every name and alias that a Go service takes means the same here, in any case."""
    config = load(LogConfig, {"SRC_LOG_FORMAT": text})

    assert config.format_on(Platform.CLOUD_RUN) == expected
    assert config.doubts() == ()


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, Platform.LOCAL, "json"),
        ({}, Platform.KUBERNETES, "json"),
        ({}, Platform.CLOUD_RUN, "json_gcp"),
        ({"SRC_DEVELOPMENT": "true"}, Platform.LOCAL, "console"),
        ({"SRC_DEVELOPMENT": "1"}, Platform.LOCAL, "json"),
        ({"SRC_DEVELOPMENT": "TRUE"}, Platform.LOCAL, "json"),
        ({"SRC_DEVELOPMENT": "true", "SRC_LOG_FORMAT": "json"}, Platform.LOCAL, "json"),
    ],
)
def test_format_by_default(environ: dict[str, str], platform: Platform, expected: str) -> None:
    """The one who reads decides the shape: Google's collector, a person, or any other collector."""
    assert load(LogConfig, environ).format_on(platform) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "console"),
        ({"SRC_DEVELOPMENT": "true"}, "console"),
        ({"SRC_DEVELOPMENT": "false"}, "json"),
        ({"SRC_LOG_FORMAT": "json"}, "json"),
        ({"SRC_LOG_FORMAT": "json_gcp"}, "json_gcp"),
    ],
)
def test_format_when_somebody_watches(environ: dict[str, str], expected: str) -> None:
    """Who reads along gets lines for people, unless a variable says otherwise."""
    assert load(LogConfig, environ).format_on(Platform.LOCAL, watched=True) == expected


def test_unknown_format_counts_as_unset() -> None:
    """An unknown format does not stop the start, and is named without its value."""
    config = load(LogConfig, {"SRC_LOG_FORMAT": "yaml"})
    (doubt,) = config.doubts()

    assert config.format_on(Platform.CLOUD_RUN) == "json_gcp"
    assert "SRC_LOG_FORMAT" in doubt
    assert "yaml" not in doubt


def test_scope_levels() -> None:
    """Each entry gives one logger its level; blanks around it do not matter."""
    config = load(LogConfig, {"SRC_LOG_SCOPE_LEVEL": "msp.http=dbug, httpx = NONE"})

    assert config.scopes() == {**TALKATIVE, "msp.http": logging.DEBUG, "httpx": SILENT}
    assert config.doubts() == ()


@pytest.mark.parametrize("text", ["a=error,", ",a=error", "=debug,a=error", "a=debug,a=error"])
def test_scope_entry_that_names_nothing(text: str) -> None:
    """Go passes over an entry without a scope, and of two entries takes the later; so do we."""
    config = load(LogConfig, {"SRC_LOG_SCOPE_LEVEL": text})

    assert config.scopes() == {**TALKATIVE, "a": logging.ERROR}


def test_unknown_scope_level_starts_with_the_default() -> None:
    """A Go service starts with an unknown level; so does ours, and it says so without the value."""
    config = load(LogConfig, {"SRC_LOG_SCOPE_LEVEL": "a=chatty,b=error"})
    (doubt,) = config.doubts()

    assert config.scopes() == {**TALKATIVE, "a": logging.INFO, "b": logging.ERROR}
    assert doubt.startswith("SRC_LOG_SCOPE_LEVEL has an unknown level: expected one of debug, ")
    assert "chatty" not in doubt


@pytest.mark.parametrize("name", [variable.name for variable in describe(LogConfig)])
def test_empty_is_unset(name: str) -> None:
    """A manifest that sets a log variable to nothing leaves it at its default, as in Go."""
    assert attrs.asdict(load(LogConfig, {name: ""})) == attrs.asdict(LogConfig())


def test_sampling_of_no_number_is_a_problem() -> None:
    """A Go service refuses to start with it, too."""
    with pytest.raises(ConfigError, match="SRC_LOG_SAMPLING_INITIAL is not an integer"):
        load(LogConfig, {"SRC_LOG_SAMPLING_INITIAL": "many"})


@pytest.mark.parametrize(
    ("level", "quiet"), [("info", TALKATIVE), ("debug", {}), ("warn", {}), ("none", {})]
)
def test_talkative_libraries(level: str, quiet: dict[str, int]) -> None:
    """Libraries that say too much at info are quiet at info, and nowhere louder than the rest."""
    assert load(LogConfig, {"SRC_LOG_LEVEL": level}).scopes() == quiet


@pytest.mark.parametrize("text", ["loud", "a=info,loud", "a=info, "])
def test_bad_scope_levels_are_a_problem(text: str) -> None:
    """A Go service refuses to start with an entry without `=`; so does ours, without showing it."""
    with pytest.raises(ConfigError) as caught:
        load(LogConfig, {"SRC_LOG_SCOPE_LEVEL": text})

    assert "SRC_LOG_SCOPE_LEVEL" in str(caught.value)
    assert "scope=level" in str(caught.value)
    assert "loud" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "sampled"),
    [
        ({}, False),
        ({"SRC_LOG_SAMPLING_INITIAL": "1"}, True),
        ({"SRC_LOG_SAMPLING_INITIAL": "1", "SRC_LOG_SAMPLING_THEREAFTER": "1"}, True),
        ({"SRC_LOG_SAMPLING_INITIAL": "0", "SRC_LOG_SAMPLING_THEREAFTER": "5"}, False),
        ({"SRC_LOG_SAMPLING_INITIAL": "-1"}, False),
        ({"SRC_LOG_SAMPLING_INITIAL": "5", "SRC_LOG_SAMPLING_THEREAFTER": "0"}, False),
    ],
)
def test_lines_are_sampled_when_both_numbers_ask_for_it(
    environ: dict[str, str],
    sampled: bool,  # noqa: FBT001 - the expected value
) -> None:
    """Every line is written unless somebody asks for less; 0 of either number is a refusal."""
    assert load(LogConfig, environ).sampled is sampled


def test_sampling_by_default() -> None:
    """Nothing is sampled unasked; asked for, one line in a hundred of what repeats is written."""
    config = load(LogConfig, {})

    assert (config.sampling_initial, config.sampling_thereafter) == (0, 100)
