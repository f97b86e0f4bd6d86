"""Reading one variable: each row of the contract's getters, as it applies to a typed field."""

from __future__ import annotations

import enum
import math
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import attrs
import pytest
from typing_extensions import TypeAliasType

from msp_core.config import URL, Duration, Percent, Secret, env, load, parse_environ
from msp_core.errors import ConfigError, Problem


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


Port = NewType("Port", int)

BOOLEAN_FORM = "true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)"
DURATION_FORM = "numbers with units (ns, us, ms, s, m, h), such as 300ms, 1.5s or 2h45m"
INTEGER_FORM = "an integer of 64 bits, such as 8080"
NUMBER_FORM = "a number of 64 bits, such as 0.25 or 1e-3"
PERCENT_FORM = "an integer from 0 to 100, without a percent sign"
URL_FORM = "a scheme and a host, such as https://example.com/path"

SCALARS = [str, int, float, bool, Duration, Percent, URL, Secret, Path, Colour]


def config_of(annotation: Any, **options: Any) -> type[Any]:
    """Return a config class whose one field is read from X."""
    body = {"__annotations__": {"x": annotation}, "x": env("X", help="the x", **options)}
    return attrs.frozen(type("Config", (), body))


def value_of(annotation: Any, text: str | None, **options: Any) -> Any:
    """Return what a field of that type is when X is that text; None stands for not set."""
    return load(config_of(annotation, **options), {} if text is None else {"X": text}).x


def problem_of(annotation: Any, text: str | None, **options: Any) -> Problem:
    """Return the one problem of a field of that type when X is that text."""
    with pytest.raises(ConfigError) as refused:
        value_of(annotation, text, **options)

    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "any thing = at all ", "any thing = at all "),
        (str, " ", " "),
        (int, "-9223372036854775808", -(2**63)),
        (int, "+7", 7),
        (Port, "8080", 8080),
        (Annotated[int, "a remark"], "7", 7),
        (Annotated[Duration, "a remark"], "7s", 7.0),
        (Annotated[Port | None, "a remark"], "7", 7),
        (TypeAliasType("Alias", Port), "7", 7),
        (float, "1.5e-3", 0.0015),
        (float, "-Inf", -math.inf),
        (bool, "T", True),
        (bool, "0", False),
        (Percent, "0", 0),
        (Percent, "100", 100),
        (Duration, "1h1.5s", 3601.5),
        (Duration, "-300ms", -0.3),
        (Duration, "0", 0.0),
        (URL, "https://example.com:8443/x?y", "https://example.com:8443/x?y"),
        (Secret, "hunter2", Secret("hunter2")),
        (Path, "/var/lib", Path("/var/lib")),
        (Colour, "red", Colour.RED),
        (Size, "2", Size.LARGE),
        (Literal["a", 3], "3", 3),
        (list[int], "1, 2,3", [1, 2, 3]),
        (list[Size], "2", [Size.LARGE]),
        (tuple[Duration, ...], "1s,2m", (1.0, 120.0)),
        (list[Secret], "a,b", [Secret("a"), Secret("b")]),
        (Duration | None, "1s", 1.0),
        (Colour | None, "blue", Colour.BLUE),
        (list[str] | None, "a", ["a"]),
    ],
)
def test_text_is_read_as_its_type(annotation: Any, text: str, value: object) -> None:
    """Each getter accepts what the contract says, and gives the value of the field's type."""
    found = value_of(annotation, text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text", "wrong", "expected"),
    [
        (int, "0x10", "is not an integer", INTEGER_FORM),
        (int, "1_000", "is not an integer", INTEGER_FORM),
        (int, " 1", "is not an integer", INTEGER_FORM),
        (int, "9223372036854775808", "is not an integer", INTEGER_FORM),
        (float, "1e999", "is not a number", NUMBER_FORM),
        (float, "one", "is not a number", NUMBER_FORM),
        (bool, "yes", "is not a boolean", BOOLEAN_FORM),
        (bool, "on", "is not a boolean", BOOLEAN_FORM),
        (Percent, "101", "is not a percentage", PERCENT_FORM),
        (Percent, "-1", "is not a percentage", PERCENT_FORM),
        (Percent, "50%", "is not a percentage", PERCENT_FORM),
        (Duration, "5", "is not a duration", DURATION_FORM),
        (Duration, "1d", "is not a duration", DURATION_FORM),
        (Duration, "1 s", "is not a duration", DURATION_FORM),
        (URL, "example.com", "is not a URL", URL_FORM),
        (URL, "https://", "is not a URL", URL_FORM),
        (URL, "https://[::1", "is not a URL", URL_FORM),
        (URL, "https://example.com:0", "is not a URL", URL_FORM),
        (URL, "https://example.com:http", "is not a URL", URL_FORM),
        (Colour, "RED", "is not one of its choices", "red or blue"),
        (Size, "SMALL", "is not one of its choices", "1 or 2"),
        (Literal["a", "b", "c"], "d", "is not one of its choices", "a, b or c"),
        (Literal["a"], "b", "is not one of its choices", "a"),
        (list[int], "1,two", "is not a list", f"values separated by commas, each {INTEGER_FORM}"),
        (list[str], "a,,b", "is not a list", "values separated by commas, each a text"),
    ],
)
def test_text_of_another_type_is_a_problem(
    annotation: Any, text: str, wrong: str, expected: str
) -> None:
    """The problem says what is wrong and what would be right, and not what was given."""
    problem = problem_of(annotation, text)

    assert problem == Problem(
        variable="X", owner="service", wrong=wrong, expected=expected, help="the x"
    )


@pytest.mark.parametrize("annotation", SCALARS)
def test_missing_without_default_is_a_problem(annotation: Any) -> None:
    """A required variable is asked for by name, with what it is for."""
    problem = problem_of(annotation, None)

    assert (problem.variable, problem.wrong, problem.help) == ("X", "is missing", "the x")


@pytest.mark.parametrize("annotation", SCALARS)
def test_missing_optional_is_none(annotation: Any) -> None:
    """`X | None` is the getter of optional variables."""
    assert value_of(annotation | None, None) is None


@pytest.mark.parametrize("annotation", SCALARS)
@pytest.mark.parametrize(
    ("optional", "options", "hint"),
    [
        (False, {}, ""),
        (True, {}, "unset it to do without"),
        (False, {"default": object()}, "unset it to use its default"),
        (True, {"default": object()}, "unset it to use its default"),
    ],
)
def test_present_but_empty_is_a_problem(
    annotation: Any, *, optional: bool, options: dict[str, Any], hint: str
) -> None:
    """An empty variable is a mistake: neither a value, nor a request for the default."""
    problem = problem_of(annotation | None if optional else annotation, "", **options)

    assert problem.wrong == "is set but empty"
    assert problem.hint == hint


def test_default_is_used_as_it_is() -> None:
    """A default is a value of the program, which nothing parses, validates or copies."""
    default = object()

    found = value_of(int, None, default=default, validator=lambda _: 1 / 0)

    assert found is default


def test_default_of_an_optional_field_comes_before_none() -> None:
    """`X | None` with a default has that default."""
    assert value_of(int | None, None, default=3) == 3


def test_default_factory_makes_a_default_each_time() -> None:
    """Two instances never share a list."""
    first, second = (value_of(list[int], None, default=attrs.Factory(list)) for _ in range(2))

    assert first == second == []
    assert first is not second


def test_variables_are_split_at_the_first_equals_sign() -> None:
    """A value may hold equals signs, be empty, or look like another entry."""
    assert parse_environ(["A=1=2", "B=", "C= x"]) == {"A": "1=2", "B": "", "C": " x"}


def test_later_duplicate_wins() -> None:
    """As in Go: the last entry of a name is what counts."""
    assert parse_environ(["A=1", "B=2", "A=3"]) == {"A": "3", "B": "2"}


def test_entry_without_equals_sign_is_a_problem() -> None:
    """Such entries are named by their place: their text may be part of a secret."""
    with pytest.raises(ConfigError) as refused:
        parse_environ(["A=1", "hunter2", "B=2", "hunter3"])

    assert str(refused.value) == (
        "entry 2 has no '=': expected NAME=VALUE\nentry 4 has no '=': expected NAME=VALUE"
    )


def test_all_problems_are_reported_in_order() -> None:
    """Getters never stop at the first error: one restart shows everything there is to fix."""

    @attrs.frozen
    class Config:
        a: int = env("A")
        b: bool = env("B", help="the b")
        c: str = env("C", default="c")
        d: Percent = env("D")

    with pytest.raises(ConfigError) as refused:
        load(Config, {"B": "maybe", "C": "", "D": "200"}, owner="service 'guestbook'")

    assert str(refused.value).splitlines() == [
        f"A is missing: expected {INTEGER_FORM} (needed by service 'guestbook')",
        f"B is not a boolean: expected {BOOLEAN_FORM} (needed by service 'guestbook': the b)",
        "C is set but empty; unset it to use its default (needed by service 'guestbook')",
        f"D is not a percentage: expected {PERCENT_FORM} (needed by service 'guestbook')",
    ]


def test_one_problem_is_reported_alone() -> None:
    """A single problem is one line, without a heading."""
    with pytest.raises(ConfigError) as refused:
        load(config_of(int), {})

    assert str(refused.value) == f"X is missing: expected {INTEGER_FORM} (needed by service: the x)"


def test_mapping_is_only_read() -> None:
    """Loading twice from one mapping gives the same: there is no state that validation closes."""
    environ = {"X": "7"}
    config = config_of(int)

    assert load(config, environ) == load(config, environ)
    assert environ == {"X": "7"}
