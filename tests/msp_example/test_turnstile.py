"""The turnstile: a part of the example with a config of its own."""

from __future__ import annotations

import pytest

from msp_core import load
from msp_example.internal.turnstile import TurnedAwayError, Turnstile, TurnstileConfig
from msp_example.service import Config
from tests.msp_example.conftest import StartExample


def test_lets_so_many_in_at_once() -> None:
    """One more than allowed is turned away, until somebody leaves, by an error or not."""
    turnstile = Turnstile(TurnstileConfig(at_once=2))
    with turnstile.pass_through():
        with pytest.raises(ZeroDivisionError), turnstile.pass_through():
            raise ZeroDivisionError
        with turnstile.pass_through(), pytest.raises(TurnedAwayError), turnstile.pass_through():
            raise AssertionError
        with turnstile.pass_through():
            pass


def test_config_is_part_of_the_service() -> None:
    """The service's config embeds the part's, which is declared beside the part."""
    assert load(Config, {}).turnstile == TurnstileConfig(at_once=100)
    assert load(Config, {"TURNSTILE_AT_ONCE": "7"}).turnstile == TurnstileConfig(at_once=7)


def test_closed(start_example: StartExample, databases: dict[str, str]) -> None:
    """Who is turned away is told to come back; nothing is counted."""
    example = start_example({**databases, "TURNSTILE_AT_ONCE": "0"}).ready()
    answer = example.get("/visits")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert example.get("/").status_code == 200
