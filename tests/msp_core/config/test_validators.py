"""Rules of a variable and of a whole class, and what is said when they are broken."""

from __future__ import annotations

import attrs
import pytest

from msp_core.config import env, load
from msp_core.config._loading import Loading
from msp_core.errors import ConfigError, InvalidValue
from tests.msp_core.config_classes import Spread, lines


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
