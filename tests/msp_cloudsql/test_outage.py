"""Outage: what the log tells of a server that is away."""

from __future__ import annotations

import logging

import pytest

from msp_cloudsql._outage import Outage
from tests.msp_core.clock import clock_for_all


def test_one_line_at_the_start_and_one_with_the_seconds_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However often connecting fails and works meanwhile."""
    caplog.set_level(logging.INFO, "msp.cloudsql")
    outage = Outage("primary")
    outage.end()
    with clock_for_all() as clock:
        outage.begin()
        clock.now += 7.5
        outage.begin()
        outage.end()
        outage.end()

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "database 'primary': cannot connect; tried again with each use of the pool"),
        ("INFO", "database 'primary': connected again after 7.5 s"),
    ]
