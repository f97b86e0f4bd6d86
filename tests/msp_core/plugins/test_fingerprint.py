"""What counts as a file that was touched."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from msp_core._plugins.fingerprint import (
    is_same,
    is_settled,
    look_at,
    metadata_files,
    search_path,
)

SECOND = 1_000_000_000

# Nanoseconds since the epoch, 0.6 seconds after a whole second.
THEN = 1_700_000_000 * SECOND + 600_000_000


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (THEN, True),
        (THEN + 1, False),
        (THEN - 600_000_000, True),  # an image's layer, which has whole seconds
        (THEN + 400_000_000, True),  # the nearest one
        (THEN - 600_000_000 - SECOND, False),
        (THEN + 400_000_000 + SECOND, False),
        (THEN - 100_000_000, False),
    ],
)
def test_time(now: int, *, same: bool) -> None:
    """A time is the same when it is equal, or was rounded to a second by an archive."""
    assert is_same({"file": [THEN, 5]}, {"file": [now, 5]}) is same


def test_rounded_only_once() -> None:
    """What had whole seconds when it was looked at has no fraction to lose."""
    whole = THEN - 600_000_000

    assert not is_same({"file": [whole, 5]}, {"file": [whole + SECOND, 5]})


def test_other_files() -> None:
    """Files that came, went, or changed their order or their size are not the same."""
    then = {"a": [THEN, 5], "b": [THEN, 5]}

    assert is_same(then, dict(then))
    assert not is_same(then, {"a": [THEN, 5]})
    assert not is_same({"a": [THEN, 5]}, then)
    assert not is_same(then, {"b": [THEN, 5], "a": [THEN, 5]})
    assert not is_same(then, {"a": [THEN, 5], "b": [THEN, 6]})


@pytest.mark.parametrize(
    ("changed", "since", "settled"),
    [
        (THEN, 20_000_001, True),
        (THEN, 20_000_000, False),
        (THEN - 600_000_000, 2 * SECOND + 1, True),  # a file system with whole seconds
        (THEN - 600_000_000, 2 * SECOND, False),
    ],
)
def test_settled(changed: int, since: int, *, settled: bool) -> None:
    """A second change within one tick of the clock would not show, so the first must be older."""
    seen = {"old": [1, 0], "file": [changed, 0]}

    assert is_settled(seen, changed + since) is settled


def test_look(tmp_path: Path) -> None:
    """A file has its time and size, a folder its time alone; what is not there is left out."""
    file = tmp_path / "file"
    file.write_text("five.")
    for path in (file, tmp_path):
        os.utime(path, ns=(THEN, THEN))

    assert look_at([file, tmp_path, tmp_path / "none"]) == {
        str(file): [THEN, 5],
        str(tmp_path): [THEN, 0],
    }


def test_metadata_files() -> None:
    """Watched are the folder of metadata and the files in it that say something about plugins."""
    assert [str(each) for each in metadata_files(["/x.dist-info"])] == [
        "/x.dist-info",
        "/x.dist-info/METADATA",
        "/x.dist-info/PKG-INFO",
        "/x.dist-info/entry_points.txt",
        "/x.dist-info/requires.txt",
    ]


def test_search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what may hold metadata counts: folders that do, archives, and so the current folder."""
    for name in ("wheels/x.dist-info", "eggs/x.egg-info", "one.egg/EGG-INFO", "code/x"):
        (tmp_path / name).mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "app.zip", "w"):
        pass
    monkeypatch.chdir(tmp_path / "wheels")
    entries = ["code", "app.zip", "one.egg", "eggs", "none"]

    found = search_path([*(str(tmp_path / name) for name in entries), ""])

    assert [each.name for each in found] == ["app.zip", "one.egg", "eggs", "wheels"]
