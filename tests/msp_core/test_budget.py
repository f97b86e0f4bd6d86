"""The one division of the shutdown budget: what each part gets, and that they add up."""

from __future__ import annotations

import pytest

from msp_core import _budget
from msp_core.platforms import Platform


@pytest.mark.parametrize(("remaining", "kept"), [(9.0, 0.3), (1.5, 0.3), (1.0, 0.2), (0.0, 0.0)])
def test_last_lines(remaining: float, kept: float) -> None:
    """A small budget keeps a fifth, every other 0.3 s."""
    assert _budget.last_lines(remaining) == pytest.approx(kept)
    assert _budget.flush_of_last_lines() == pytest.approx(0.3)


def test_shares() -> None:
    """Two thirds for the work, one for a start that is abandoned."""
    assert _budget.work(9.0) == pytest.approx(6.0)
    assert _budget.abandoned_start(9.0) == pytest.approx(3.0)


@pytest.mark.parametrize(("window", "remaining", "drained"), [(5.0, 16.0, 5.0), (5.0, 2.0, 2.0)])
def test_drain(window: float, remaining: float, drained: float) -> None:
    """The window is the platform's, unless less is left."""
    assert _budget.drain(window, remaining) == drained


@pytest.mark.parametrize(("limit", "margin"), [(600.0, 10.0), (50.0, 10.0), (10.0, 2.0)])
def test_job_margin(limit: float, margin: float) -> None:
    """A second more than the budget, a fifth of a short limit; a tenth of it stays unused."""
    assert _budget.job_margin(9.0, limit) == pytest.approx(margin)
    assert _budget.unused_margin(margin) == pytest.approx(margin / 10)


@pytest.mark.parametrize(("remaining", "reserve", "linger"), [(6.0, 0.5, 1.0), (1.0, 0.25, 0.25)])
def test_requests(remaining: float, reserve: float, linger: float) -> None:
    """Neither takes more than a quarter of what the server has."""
    assert _budget.requests_reserve(remaining) == pytest.approx(reserve)
    assert _budget.linger(remaining) == pytest.approx(linger)


@pytest.mark.parametrize(("remaining", "until"), [(1.0, 0.95), (0.01, 0.0)])
def test_until_return(remaining: float, until: float) -> None:
    """The wait ends a moment early, and never below zero."""
    assert _budget.until_return(remaining) == pytest.approx(until)


@pytest.mark.parametrize("platform", list(Platform))
def test_adds_up(platform: Platform) -> None:
    """On every platform the drain window leaves requests and resources time to end."""
    budget = platform.shutdown_budget
    rest = budget - _budget.last_lines(budget)
    work = _budget.work(rest)
    requests = work - _budget.drain(platform.drain_window, work)

    assert requests - _budget.requests_reserve(requests) > 5
    assert rest - work > 2
