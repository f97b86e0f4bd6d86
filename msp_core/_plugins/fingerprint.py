"""Fingerprint: files as they were, to see later whether one of them was touched."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

Fingerprint = Mapping[str, list[int]]

# A file system, or an archive such as the layer of an image, may know whole seconds only.
_SECOND = 1_000_000_000
# The coarsest clock of a file system that knows more than seconds, twice over; in nanoseconds.
_TICK = 20_000_000

# What installers write into the folder of a distribution's metadata and we read.
_FILES = ("METADATA", "PKG-INFO", "entry_points.txt", "requires.txt")
_METADATA = ("dist-info", "egg-info")


def metadata_files(folders: Iterable[str]) -> list[Path]:
    """Return which files to watch for folders of metadata; some of them may not exist."""
    # The folder itself is one: what is added to it or taken away changes its time.
    return [Path(folder, name) for folder in folders for name in ("", *_FILES)]


def search_path(entries: Iterable[str]) -> list[Path]:
    """Return those entries of `sys.path` that hold metadata, absolute.

    The others cannot change an answer, and often differ between two commands: the folder of a
    script, the current one.
    """
    return [
        entry for entry in (Path(each).absolute() for each in entries) if _holds_metadata(entry)
    ]


def look_at(paths: Iterable[str | Path]) -> Fingerprint:
    """Return what the file system says of each path that exists.

    Returns:
        By path, in order: time of the last change in nanoseconds; size in bytes, 0 of a folder,
        whose size depends on the file system it was copied to.
    """
    seen = {}
    for path in paths:
        try:
            found = Path(path).stat()
        except OSError:
            continue
        size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
        seen[str(path)] = [found.st_mtime_ns, size]
    return seen


def is_same(then: Fingerprint, now: Fingerprint) -> bool:
    """Return whether both are of the same files, none of them touched in between."""
    return [*then] == [*now] and all(_is_alike(then[path], now[path]) for path in then)


def is_settled(seen: Fingerprint, moment: int) -> bool:
    """Return whether a later change of any of these files would show.

    One that was changed just before may be changed again within the same tick of the file system's
    clock.

    Args:
        seen: the files.
        moment: nanoseconds since the epoch, before they were read.
    """
    return all(changed < moment - _grain(changed) for changed, _ in seen.values())


def _grain(changed: int) -> int:
    return 2 * _SECOND if changed % _SECOND == 0 else _TICK


def _is_alike(then: list[int], now: list[int]) -> bool:
    (changed, size), (changed_now, size_now) = then, now
    # Builders of images round down or to the nearest second; a folder in one has kept that.
    rounded = changed_now % _SECOND == 0 and abs(changed_now - changed) < _SECOND
    return size == size_now and (changed == changed_now or rounded)


def _holds_metadata(entry: Path) -> bool:
    try:
        with os.scandir(entry) as names:
            # Of a folder full of packages only the first names are read.
            return any(name.name.lower().endswith(_METADATA) for name in names)
    except NotADirectoryError:
        return True  # an archive, which may
    except OSError:
        return False
