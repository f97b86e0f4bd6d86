"""A service on a laptop gets what a platform would give, and the user has the last word."""

from __future__ import annotations

import pytest

from msp_dev._environ import laptop_environ

RESOURCES = {"MSP": "false", "PGDSN": "embedded"}


def test_adds_what_a_platform_would_give() -> None:
    """Nothing has to be set by hand."""
    assert laptop_environ({"HOME": "here"}, RESOURCES) == {
        "HOME": "here",
        "MSP": "false",
        "PGDSN": "embedded",
        "SRC_DEVELOPMENT": "true",
    }


def test_the_users_own_variables_win() -> None:
    """What was set on purpose is not overruled."""
    own = {"PORT": "9", "PGDSN": "own", "MSP": "0"}

    assert laptop_environ(own, RESOURCES).items() >= own.items()


@pytest.mark.parametrize("own", [{"SRC_LOG_FORMAT": "json"}, {"SRC_DEVELOPMENT": "false"}])
def test_leaves_the_log_format_to_a_user_who_set_it(own: dict[str, str]) -> None:
    """Logs for people are a default, not a rule."""
    assert laptop_environ(own, {}) == own
