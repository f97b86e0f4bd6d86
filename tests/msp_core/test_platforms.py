"""Platform: what tells it, and the seconds it leaves a process that is to stop."""

from __future__ import annotations

import pytest

from msp_core._life.process import Process
from msp_core.platforms import Platform

SERVING = {"K_SERVICE": "guestbook"}
JOB = {"CLOUD_RUN_JOB": "guestbook"}
KUBERNETES = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@pytest.mark.parametrize(
    ("environ", "platform", "drain", "budget"),
    [
        ({}, Platform.LOCAL, 0, 9),
        (SERVING, Platform.CLOUD_RUN, 0, 9),
        (JOB, Platform.CLOUD_RUN, 0, 9),
        (KUBERNETES, Platform.KUBERNETES, 5, 25),
        (KUBERNETES | SERVING, Platform.KNATIVE, 5, 25),
    ],
)
def test_platform(environ: dict[str, str], platform: Platform, drain: float, budget: float) -> None:
    """Each leaves a margin before it kills: Cloud Run after 10 s, Kubernetes after 30."""
    found = Platform.of(environ)

    assert (found, found.drain_window, found.shutdown_budget) == (platform, drain, budget)


@pytest.mark.parametrize(("environ", "budget"), [({}, 9), (KUBERNETES, 25)])
def test_stop_has_the_budget(environ: dict[str, str], budget: float) -> None:
    """A stop that is asked for has the platform's seconds, not more."""
    process = Process(object(), environ)
    try:
        remaining = process.stop.ask().remaining()
    finally:
        process.release()

    assert budget - 2 < remaining <= budget
