"""Cloud Profiler: started where it can be, tolerated where it cannot."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from msp_opentelemetry._sdk.profiler import start_profiler
from tests.msp_core.http_service import contract

Agent = Callable[..., None]


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Callable[[Agent], None]:
    """Give a function that installs an agent with that `start`."""

    def install(start: Agent) -> None:
        module = ModuleType("googlecloudprofiler")
        module.start = start  # type: ignore[attr-defined]  # a fake
        module.__spec__ = importlib.machinery.ModuleSpec("googlecloudprofiler", None)
        monkeypatch.setitem(sys.modules, "googlecloudprofiler", module)

    return install


def test_started(agent: Callable[[Agent], None]) -> None:
    """On a live platform the agent is told who profiles, and leaves signals alone."""
    calls: list[dict[str, Any]] = []
    agent(lambda **options: calls.append(options))
    thread = start_profiler(contract(msp=True), "garden")

    assert thread is not None

    thread.join()

    assert calls == [
        {
            "service": "guestbook",
            "service_version": "1.2.3",
            "project_id": "garden",
            "disable_wall_profiling": True,
        }
    ]


def test_failure_is_tolerated(
    agent: Callable[[Agent], None], caplog: pytest.LogCaptureFixture
) -> None:
    """An agent that cannot start costs profiles and one line."""

    def fail(**_: object) -> None:
        raise NotImplementedError("not on this machine")

    agent(fail)
    thread = start_profiler(contract(msp=True), "garden")

    assert thread is not None

    thread.join()

    assert caplog.messages == [
        "profiler did not start, there will be no profiles: not on this machine"
    ]


@pytest.mark.parametrize(("msp", "project"), [(False, "garden"), (True, None)])
def test_not_wanted(agent: Callable[[Agent], None], *, msp: bool, project: str | None) -> None:
    """A laptop is not profiled, nor a platform without a project."""
    agent(lambda **_: None)

    assert start_profiler(contract(msp=msp), project) is None


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra there is nothing to start."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert start_profiler(contract(msp=True), "garden") is None
