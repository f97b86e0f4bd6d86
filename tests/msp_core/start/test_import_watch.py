"""How long imports take, and whose time it is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from msp_core._start.import_watch import ImportWatch

MODULES = ("watched", "watched.inner", "within", "failing")


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImportWatch]:
    """Watch imports; some packages are there that nobody imported yet."""
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "__init__.py").write_text("import within\n")
    (tmp_path / "watched" / "inner.py").write_text("")
    (tmp_path / "within.py").write_text("sum(range(1_000_000))\n")
    (tmp_path / "failing.py").write_text("raise OSError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    watch = ImportWatch.install()
    yield watch
    watch.remove()
    for name in MODULES:
        sys.modules.pop(name, None)


def test_packages(watch: ImportWatch) -> None:
    """The modules of a package are one; what they import is another's."""
    importlib.import_module("watched.inner")
    found = {each.name: each for each in watch.heaviest(10)}

    assert list(found) == ["within", "watched"]
    assert found["watched"].modules == 2
    assert found["within"].modules == 1
    assert 0 < found["watched"].seconds < found["within"].seconds


def test_only_the_heaviest(watch: ImportWatch) -> None:
    """As many as asked for, longest first."""
    importlib.import_module("watched.inner")

    assert [each.name for each in watch.heaviest(1)] == ["within"]


def test_loaders_are_left_as_they_were(watch: ImportWatch) -> None:
    """A module that is loaded again later is not timed again."""
    module = importlib.import_module("within")

    assert module.__spec__ is not None
    assert "exec_module" not in vars(module.__spec__.loader)
    importlib.reload(module)
    assert watch.heaviest(1)[0].modules == 2


def test_what_fails_or_is_not_there(watch: ImportWatch) -> None:
    """Errors come through, and a module that does not exist is none."""
    with pytest.raises(OSError, match="broken"):
        importlib.import_module("failing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere_to_be_found")

    assert [each.name for each in watch.heaviest(10)] == ["failing"]


def test_the_one_that_watches(watch: ImportWatch) -> None:
    """It is where Python looks for it, and nowhere when it was removed."""
    assert ImportWatch.find_installed() is watch

    watch.remove()
    try:
        assert ImportWatch.find_installed() is None
    finally:
        sys.meta_path.insert(0, watch)
