"""What finding out what a service declares costs, whatever else is installed."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import importlib_metadata
import pytest

from msp_core._plugins import cache
from msp_core._plugins.cache import DeclarationCache
from msp_core._plugins.resolution import resolve
from msp_core.services import find_service
from tests.msp_core.installed import Installed
from tests.msp_core.kept import IS_SITE, Environment


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is asked of the file system."""
    counts: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(module, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, counting)

    for name in ("stat", "listdir", "scandir"):
        count(os, name)
    count(io, "open")
    monkeypatch.setattr("builtins.open", io.open)
    return counts


def start(counts: Counter[str]) -> dict[str, int]:
    """Find and resolve the service as a new process would; return what it asked for."""
    importlib_metadata.MetadataPathFinder.invalidate_caches()
    counts.clear()
    resolve(find_service("guestbook", {}), cache=DeclarationCache.of({}))
    return dict(counts)


@pytest.mark.parametrize("many", [1000, 3000])
def test_counted(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, counted: Counter[str], many: int
) -> None:
    """With thousands of distributions a start asks the file system for what it does with 20."""
    monkeypatch.setattr(sys, "path", [str(installed.folder)])
    monkeypatch.setattr(sys, "prefix", str(installed.folder.parent))
    monkeypatch.setattr(cache, "_is_site", IS_SITE)
    environment = Environment(installed)
    environment.fill()
    start(counted)  # what a process imports for the first time costs once
    costs = []
    for amount in (range(20), range(20, many)):
        for number in amount:
            installed.distribution(f"other-{number}")
        environment.age()
        costs.append((start(counted), start(counted)))

    assert costs[0] == costs[1]

    cold, warm = costs[0]
    assert warm["open"] == 2  # the file, once to find the service and once for its plugins
    assert cold["open"] > warm["open"]
